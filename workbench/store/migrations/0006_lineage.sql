-- What came from what: each row leads from a thing to one it came from.
CREATE VIEW lineage AS
SELECT from_kind, from_id, relation, to_kind, to_id
FROM lineage_data
UNION ALL
SELECT 'job', id, 'trained_on', 'training_sheet', training_sheet_id
FROM training_details
UNION ALL
SELECT 'job', job_id, CASE split WHEN 'train' THEN 'trained_on' ELSE 'held_out' END, 'pair', pair_id
FROM job_pairs
UNION ALL
SELECT 'job', id, 'retry_of', 'job', parent_id
FROM jobs
WHERE parent_id IS NOT NULL
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
