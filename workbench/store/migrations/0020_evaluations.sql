-- An evaluation is no retry of the training whose model it asks.
-- What came from what: each row leads from a thing to one it came from. A trial came from its study,
-- which knows the pairs; the best settings trained came from the study as well.
CREATE OR REPLACE VIEW lineage AS
SELECT from_kind, from_id, relation, to_kind, to_id
FROM lineage_data
UNION ALL
SELECT 'job', id, 'trained_on', 'training_sheet', training_sheet_id
FROM training_details ANTI JOIN trial_details USING (id)
UNION ALL
SELECT 'job', id, 'trained_on', 'training_sheet', training_sheet_id
FROM study_details
UNION ALL
SELECT 'job', job_id, CASE split WHEN 'train' THEN 'trained_on' ELSE 'held_out' END, 'pair', pair_id
FROM job_pairs
UNION ALL
SELECT
    'job',
    jobs.id,
    CASE
        WHEN jobs.kind = 'evaluate' THEN 'evaluates'
        WHEN trial_details.id IS NOT NULL THEN 'trial_of'
        WHEN study_details.id IS NOT NULL AND jobs.kind = 'train' THEN 'tuned_by'
        ELSE 'retry_of'
    END,
    'job',
    jobs.parent_id
FROM jobs
LEFT JOIN trial_details ON trial_details.id = jobs.id
LEFT JOIN study_details ON study_details.id = jobs.parent_id
WHERE jobs.parent_id IS NOT NULL
UNION ALL
SELECT 'job', id, 'evaluates', 'model', spec ->> '$.model_version_id'
FROM jobs
WHERE kind = 'evaluate' AND spec ->> '$.model_version_id' IS NOT NULL
UNION ALL
SELECT 'job', id, 'evaluated_on', 'training_sheet', spec ->> '$.training_sheet_id'
FROM jobs
WHERE kind = 'evaluate' AND spec ->> '$.training_sheet_id' IS NOT NULL
UNION ALL
SELECT 'model', id, 'made_by', 'job', job_id
FROM models
WHERE job_id IS NOT NULL
UNION ALL
SELECT 'endpoint', id, 'serves', 'model', model_version_id
FROM endpoints
UNION ALL
SELECT 'request', id, 'answered_by', 'model', model_version_id
FROM requests
UNION ALL
SELECT 'request', id, 'sent_to', 'endpoint', endpoint
FROM requests
UNION ALL
SELECT 'feedback', id, 'about', 'request', request_id
FROM feedback;
