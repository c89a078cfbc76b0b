-- The rows of a sheet live in a table of their own, rows_<id>, published as the view sheet_<slug>.
CREATE TABLE sheets (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    slug VARCHAR NOT NULL,
    description VARCHAR,
    source_type VARCHAR NOT NULL,
    source VARCHAR,
    item_id_column VARCHAR,
    columns JSON,
    item_count BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    tags VARCHAR[],
    data_classification VARCHAR NOT NULL,
    template_id VARCHAR,
    content_hash VARCHAR,
    sample BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR,
    updated_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP,
    deleted_at TIMESTAMP,
    version BIGINT NOT NULL
);

CREATE TABLE templates (
    name VARCHAR NOT NULL,
    system_instruction VARCHAR,
    prompt_template VARCHAR NOT NULL,
    response_source_mode VARCHAR NOT NULL,
    response_column VARCHAR,
    response_schema JSON,
    model VARCHAR,
    temperature DOUBLE NOT NULL,
    max_tokens BIGINT NOT NULL,
    label_type VARCHAR NOT NULL,
    label_classes JSON,
    column_mapping JSON,
    few_shot_count BIGINT NOT NULL,
    id VARCHAR PRIMARY KEY,
    semver VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    description VARCHAR,
    parent_id VARCHAR,
    sample BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR,
    updated_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE training_sheets (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    sheet_id VARCHAR NOT NULL,
    template_id VARCHAR,
    template JSON,
    status VARCHAR NOT NULL,
    total_rows BIGINT NOT NULL,
    filter VARCHAR,
    sampling VARCHAR NOT NULL,
    sample_size BIGINT,
    seed BIGINT NOT NULL,
    overlap BIGINT NOT NULL,
    guidelines VARCHAR,
    error_summary VARCHAR,
    sample BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR,
    updated_at TIMESTAMP NOT NULL,
    completed_at TIMESTAMP,
    deleted_at TIMESTAMP,
    version BIGINT NOT NULL
);

-- No key: a pair is named by training sheet and row, both given out under the write lock.
-- Uses are bit sets, because an update of a list column moves the whole row.
CREATE TABLE pair_rows (
    training_sheet_id VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    source_index BIGINT,
    item_ref VARCHAR NOT NULL,
    prompt VARCHAR NOT NULL,
    response VARCHAR NOT NULL,
    original_response VARCHAR,
    response_source VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    flag_reason VARCHAR,
    stale BOOLEAN NOT NULL,
    confidence DOUBLE,
    simulated BOOLEAN NOT NULL DEFAULT false,
    notes VARCHAR,
    labeled_by VARCHAR,
    labeled_at TIMESTAMP,
    verified_by VARCHAR,
    verified_at TIMESTAMP,
    allowed_mask UTINYINT,
    prohibited_mask UTINYINT NOT NULL,
    canonical_label_id VARCHAR,
    source_snapshot JSON,
    request_id VARCHAR,
    model_version_id VARCHAR,
    sample BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL,
    last_batch BIGINT NOT NULL
);

CREATE MACRO uses_of(mask) AS list_filter(
    ['training', 'validation', 'evaluation', 'few_shot', 'testing'], lambda u, i: (mask >> (i - 1)::UTINYINT) & 1 = 1
);

CREATE MACRO mask_of(uses) AS list_sum(list_distinct(list_transform(
    uses, lambda u: 1 << (list_position(['training', 'validation', 'evaluation', 'few_shot', 'testing'], u) - 1)
)))::UTINYINT;

CREATE VIEW pairs AS
SELECT
    training_sheet_id || '.' || row_index AS id,
    training_sheet_id,
    row_index,
    item_ref,
    source_index,
    prompt,
    response,
    original_response,
    response_source,
    status,
    flag_reason,
    stale,
    confidence,
    simulated,
    notes,
    labeled_by,
    labeled_at,
    verified_by,
    verified_at,
    CASE WHEN allowed_mask IS NULL THEN NULL ELSE uses_of(allowed_mask) END AS allowed_uses,
    uses_of(prohibited_mask) AS prohibited_uses,
    canonical_label_id,
    request_id,
    model_version_id,
    sample,
    created_at,
    updated_at,
    version
FROM pair_rows;

-- Why a pair may not be trained on; the first reason that holds, none for an eligible pair.
CREATE VIEW pair_eligibility AS
SELECT
    training_sheet_id,
    row_index,
    CASE
        WHEN status <> 'labeled' THEN status
        WHEN stale THEN 'stale'
        WHEN prohibited_mask & 1 = 1 THEN 'prohibited'
        WHEN allowed_mask IS NOT NULL AND allowed_mask & 1 = 0 THEN 'not_allowed'
    END AS excluded_by,
    prohibited_mask & 2 = 2 OR (allowed_mask IS NOT NULL AND allowed_mask & 2 = 0) AS barred_from_validation
FROM pair_rows;

CREATE VIEW trainable_pairs AS
SELECT
    training_sheet_id || '.' || row_index AS id,
    training_sheet_id,
    row_index,
    item_ref,
    source_index,
    prompt,
    response,
    response_source,
    sample,
    version,
    prohibited_mask & 2 = 2 OR (allowed_mask IS NOT NULL AND allowed_mask & 2 = 0) AS barred_from_validation
FROM pair_rows
WHERE status = 'labeled' AND NOT stale AND prohibited_mask & 1 = 0 AND (allowed_mask IS NULL OR allowed_mask & 1 = 1);

CREATE SEQUENCE batch_numbers;

CREATE SEQUENCE decision_numbers;

CREATE TABLE batches (
    number BIGINT NOT NULL,
    id VARCHAR PRIMARY KEY,
    training_sheet_id VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    row_count BIGINT NOT NULL,
    of_batch BIGINT,
    logged_at TIMESTAMP NOT NULL,
    undone_at TIMESTAMP,
    undone_by VARCHAR,
    undone_number BIGINT
);

-- Append-only. A state is kept whole, texts only where they changed.
CREATE TABLE decisions (
    id BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    training_sheet_id VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    action VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    logged_at TIMESTAMP NOT NULL,
    pair_version BIGINT NOT NULL,
    before STRUCT(
        status VARCHAR, flag_reason VARCHAR, stale BOOLEAN, response_source VARCHAR, confidence DOUBLE, simulated BOOLEAN, notes VARCHAR,
        labeled_by VARCHAR, labeled_at TIMESTAMP, verified_by VARCHAR, verified_at TIMESTAMP,
        allowed_mask UTINYINT, prohibited_mask UTINYINT, canonical_label_id VARCHAR, last_batch BIGINT
    ) NOT NULL,
    after STRUCT(
        status VARCHAR, flag_reason VARCHAR, stale BOOLEAN, response_source VARCHAR, confidence DOUBLE, simulated BOOLEAN, notes VARCHAR,
        labeled_by VARCHAR, labeled_at TIMESTAMP, verified_by VARCHAR, verified_at TIMESTAMP,
        allowed_mask UTINYINT, prohibited_mask UTINYINT, canonical_label_id VARCHAR, last_batch BIGINT
    ) NOT NULL,
    texts_before STRUCT(prompt VARCHAR, response VARCHAR, original_response VARCHAR),
    texts_after STRUCT(prompt VARCHAR, response VARCHAR, original_response VARCHAR)
);

CREATE TABLE claims (
    training_sheet_id VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    holder VARCHAR NOT NULL,
    client VARCHAR NOT NULL,
    expires_at TIMESTAMP NOT NULL
);

-- What reviewers typed and did not save yet.
CREATE TABLE drafts (
    training_sheet_id VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    author VARCHAR NOT NULL,
    response VARCHAR NOT NULL,
    saved_at TIMESTAMP NOT NULL
);

-- The id is made from sheet, item and label type, so that one label is found with one look-up.
CREATE TABLE canonical_labels (
    id VARCHAR PRIMARY KEY,
    sheet_id VARCHAR NOT NULL,
    item_ref VARCHAR NOT NULL,
    label_type VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    confidence VARCHAR NOT NULL,
    notes VARCHAR,
    labeled_by VARCHAR,
    labeled_at TIMESTAMP,
    allowed_uses VARCHAR[],
    prohibited_uses VARCHAR[],
    reuse_count BIGINT NOT NULL,
    last_used_at TIMESTAMP,
    sample BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL
);

CREATE SEQUENCE label_version_numbers;

-- Numbers count over all labels; among the versions of one label only their order matters.
CREATE TABLE canonical_label_versions (
    label_id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    label VARCHAR NOT NULL,
    labeled_by VARCHAR,
    labeled_at TIMESTAMP,
    training_sheet_id VARCHAR,
    row_index BIGINT,
    batch BIGINT,
    retracted BOOLEAN NOT NULL
);

CREATE MACRO canonical_id(sheet, item, kind) AS 'label_' || substr(md5(sheet || chr(31) || item || chr(31) || kind), 1, 20);

CREATE VIEW lineage_data AS
SELECT 'training_sheet' AS from_kind, id AS from_id, 'made_from' AS relation, 'sheet' AS to_kind, sheet_id AS to_id
FROM training_sheets
UNION ALL
SELECT 'training_sheet', id, 'rendered_with', 'template', template_id
FROM training_sheets
WHERE template_id IS NOT NULL
UNION ALL
SELECT 'template', id, 'version_of', 'template', parent_id
FROM templates
WHERE parent_id IS NOT NULL
UNION ALL
SELECT 'pair', training_sheet_id || '.' || row_index, 'part_of', 'training_sheet', training_sheet_id
FROM pair_rows
UNION ALL
SELECT 'pair', training_sheet_id || '.' || row_index, 'linked_to', 'canonical_label', canonical_label_id
FROM pair_rows
WHERE canonical_label_id IS NOT NULL
UNION ALL
SELECT 'pair', training_sheet_id || '.' || row_index, 'came_back_from', 'request', request_id
FROM pair_rows
WHERE request_id IS NOT NULL;
