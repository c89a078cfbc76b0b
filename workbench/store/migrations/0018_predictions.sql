-- What a pair's response was when the model was asked, and on which side of the split it stood.
ALTER TABLE job_predictions ADD COLUMN truth VARCHAR;
ALTER TABLE job_predictions ADD COLUMN split VARCHAR;

-- The line from a sheet's row to the models that learned from it: to be asked from either end.
CREATE VIEW learned_from AS
SELECT
    job_pairs.job_id,
    job_pairs.split,
    job_pairs.pair_id,
    job_pairs.pair_version,
    training_sheets.id AS training_sheet_id,
    training_sheets.template_id,
    training_sheets.sheet_id,
    pair_rows.row_index,
    pair_rows.item_ref,
    models.id AS model_id,
    models.name AS model_name,
    models.version AS model_version
FROM job_pairs
JOIN pair_rows ON pair_rows.training_sheet_id = split_part(job_pairs.pair_id, '.', 1)
    AND pair_rows.row_index = split_part(job_pairs.pair_id, '.', 2)::BIGINT
JOIN training_sheets ON training_sheets.id = pair_rows.training_sheet_id
LEFT JOIN models ON models.job_id = job_pairs.job_id;

CREATE VIEW predictions AS SELECT job_id, pair_id, split, prediction, truth, confidence, loss, correct FROM job_predictions;
