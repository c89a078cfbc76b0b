-- A change of a text drops what was measured on it. It is kept beside the change where there was any, so that a step back brings it back.
ALTER TABLE decision_details ADD COLUMN measured_before STRUCT(
    signals STRUCT(
        duplicates BIGINT, duplicate_group BIGINT, near_duplicates BIGINT, near_group BIGINT, length BIGINT, words BIGINT,
        language VARCHAR, pii BIGINT, pii_kinds VARCHAR, leakage DOUBLE, refusal BOOLEAN, repetition DOUBLE,
        outlier DOUBLE, outlier_by VARCHAR, concern DOUBLE
    ),
    training_loss DOUBLE
);

ALTER TABLE decision_details ADD COLUMN measured_after STRUCT(
    signals STRUCT(
        duplicates BIGINT, duplicate_group BIGINT, near_duplicates BIGINT, near_group BIGINT, length BIGINT, words BIGINT,
        language VARCHAR, pii BIGINT, pii_kinds VARCHAR, leakage DOUBLE, refusal BOOLEAN, repetition DOUBLE,
        outlier DOUBLE, outlier_by VARCHAR, concern DOUBLE
    ),
    training_loss DOUBLE
);

CREATE OR REPLACE VIEW decisions AS
SELECT
    decision_log.*,
    decision_details.facts_before,
    decision_details.facts_after,
    decision_details.texts_before,
    decision_details.texts_after,
    decision_details.source_before,
    decision_details.source_after,
    decision_details.measured_before,
    decision_details.measured_after
FROM decision_log
LEFT JOIN decision_details
    ON decision_details.batch = decision_log.batch AND decision_details.row_index = decision_log.row_index;
