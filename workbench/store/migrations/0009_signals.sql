-- Signals of a pair live beside it: a filter joined to a million pairs costs ten times as much as one column more.
ALTER TABLE pair_rows ADD COLUMN signals STRUCT(
    duplicates BIGINT, duplicate_group BIGINT, near_duplicates BIGINT, near_group BIGINT, length BIGINT, words BIGINT,
    language VARCHAR, pii BIGINT, pii_kinds VARCHAR, leakage DOUBLE, refusal BOOLEAN, repetition DOUBLE,
    outlier DOUBLE, outlier_by VARCHAR, concern DOUBLE
);

ALTER TABLE pair_rows ADD COLUMN training_loss DOUBLE;

CREATE VIEW pair_signals AS
SELECT
    training_sheet_id,
    row_index,
    signals.duplicates,
    signals.duplicate_group,
    signals.near_duplicates,
    signals.near_group,
    signals.length,
    signals.words,
    signals.language,
    signals.pii,
    signals.pii_kinds,
    signals.leakage,
    signals.refusal,
    signals.repetition,
    signals.outlier,
    signals.outlier_by,
    signals.concern,
    training_loss
FROM pair_rows
WHERE signals IS NOT NULL OR training_loss IS NOT NULL;

-- Rows of a sheet that changed since the scan have no line here.
CREATE TABLE row_signals (
    sheet_id VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    duplicates BIGINT,
    duplicate_group BIGINT,
    near_duplicates BIGINT,
    near_group BIGINT,
    length BIGINT,
    words BIGINT,
    language VARCHAR,
    pii BIGINT,
    pii_kinds VARCHAR,
    leakage DOUBLE,
    refusal BOOLEAN,
    repetition DOUBLE,
    outlier DOUBLE,
    outlier_by VARCHAR,
    concern DOUBLE
);
