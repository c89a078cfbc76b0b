-- The log of decisions was most of what a bulk action wrote, and most of the log told what had not changed. What every decision may
-- change stays in one narrow table; the rest of a pair's state, its texts and its source are kept beside it where they changed.
CREATE TABLE decision_log (
    id BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    training_sheet_id VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    action VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    logged_at TIMESTAMP NOT NULL,
    pair_version BIGINT NOT NULL,
    before STRUCT(
        status VARCHAR, flag_reason VARCHAR, stale BOOLEAN, labeled_by VARCHAR, labeled_at TIMESTAMP, canonical_label_id VARCHAR,
        last_batch BIGINT
    ) NOT NULL,
    after STRUCT(
        status VARCHAR, flag_reason VARCHAR, stale BOOLEAN, labeled_by VARCHAR, labeled_at TIMESTAMP, canonical_label_id VARCHAR,
        last_batch BIGINT
    ) NOT NULL
);

-- A batch touches a pair once.
CREATE TABLE decision_details (
    batch BIGINT NOT NULL,
    row_index BIGINT NOT NULL,
    facts_before STRUCT(
        response_source VARCHAR, confidence DOUBLE, simulated BOOLEAN, notes VARCHAR, verified_by VARCHAR, verified_at TIMESTAMP,
        allowed_mask UTINYINT, prohibited_mask UTINYINT
    ),
    facts_after STRUCT(
        response_source VARCHAR, confidence DOUBLE, simulated BOOLEAN, notes VARCHAR, verified_by VARCHAR, verified_at TIMESTAMP,
        allowed_mask UTINYINT, prohibited_mask UTINYINT
    ),
    texts_before STRUCT(prompt VARCHAR, response VARCHAR, original_response VARCHAR),
    texts_after STRUCT(prompt VARCHAR, response VARCHAR, original_response VARCHAR),
    source_before STRUCT(source_index BIGINT, item_ref VARCHAR, source_snapshot VARCHAR),
    source_after STRUCT(source_index BIGINT, item_ref VARCHAR, source_snapshot VARCHAR)
);

INSERT INTO decision_log
SELECT
    id,
    batch,
    training_sheet_id,
    row_index,
    action,
    actor,
    logged_at,
    pair_version,
    {
        'status': before.status, 'flag_reason': before.flag_reason, 'stale': before.stale, 'labeled_by': before.labeled_by,
        'labeled_at': before.labeled_at, 'canonical_label_id': before.canonical_label_id, 'last_batch': before.last_batch
    },
    {
        'status': after.status, 'flag_reason': after.flag_reason, 'stale': after.stale, 'labeled_by': after.labeled_by,
        'labeled_at': after.labeled_at, 'canonical_label_id': after.canonical_label_id, 'last_batch': after.last_batch
    }
FROM decisions
ORDER BY id;

INSERT INTO decision_details
SELECT
    batch,
    row_index,
    CASE WHEN told.was IS DISTINCT FROM told.became AND before_status IS NOT NULL THEN told.was END,
    CASE WHEN told.was IS DISTINCT FROM told.became AND after_status IS NOT NULL THEN told.became END,
    texts_before,
    texts_after,
    source_before,
    source_after
FROM (
    SELECT
        id,
        batch,
        row_index,
        before.status AS before_status,
        after.status AS after_status,
        texts_before,
        texts_after,
        source_before,
        source_after,
        {
            'was': {
                'response_source': before.response_source, 'confidence': before.confidence, 'simulated': before.simulated,
                'notes': before.notes, 'verified_by': before.verified_by, 'verified_at': before.verified_at,
                'allowed_mask': before.allowed_mask, 'prohibited_mask': before.prohibited_mask
            },
            'became': {
                'response_source': after.response_source, 'confidence': after.confidence, 'simulated': after.simulated,
                'notes': after.notes, 'verified_by': after.verified_by, 'verified_at': after.verified_at,
                'allowed_mask': after.allowed_mask, 'prohibited_mask': after.prohibited_mask
            }
        } AS told
    FROM decisions
)
WHERE
    told.was IS DISTINCT FROM told.became
    OR texts_before IS NOT NULL
    OR texts_after IS NOT NULL
    OR source_before IS NOT NULL
    OR source_after IS NOT NULL
ORDER BY id;

DROP TABLE decisions;

CREATE VIEW decisions AS
SELECT
    decision_log.*,
    decision_details.facts_before,
    decision_details.facts_after,
    decision_details.texts_before,
    decision_details.texts_after,
    decision_details.source_before,
    decision_details.source_after
FROM decision_log
LEFT JOIN decision_details
    ON decision_details.batch = decision_log.batch AND decision_details.row_index = decision_log.row_index;
