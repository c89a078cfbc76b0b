-- A study is a job without a process of its own: its trials are training jobs.
CREATE TABLE study_details (
    id VARCHAR PRIMARY KEY,
    training_sheet_id VARCHAR NOT NULL,
    training_sheet_name VARCHAR NOT NULL,
    model_name VARCHAR NOT NULL,
    base_model VARCHAR NOT NULL,
    trainer VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    direction VARCHAR NOT NULL,
    n_trials BIGINT NOT NULL,
    parallel BIGINT NOT NULL,
    seed BIGINT NOT NULL,
    pruning BOOLEAN NOT NULL,
    search_space JSON NOT NULL,
    training_config JSON NOT NULL,
    train_val_split DOUBLE NOT NULL,
    total_pairs BIGINT NOT NULL,
    train_pairs BIGINT NOT NULL,
    val_pairs BIGINT NOT NULL
);

CREATE TABLE trial_details (
    id VARCHAR PRIMARY KEY,
    study_id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    params JSON NOT NULL,
    outcome VARCHAR,
    value DOUBLE,
    pruned_step BIGINT,
    reason VARCHAR,
    settled_at TIMESTAMP
);

CREATE VIEW trials AS
SELECT
    trial_details.*,
    CASE WHEN jobs.completed_at IS NULL THEN jobs.status ELSE coalesce(trial_details.outcome, jobs.status) END AS state,
    jobs.progress_percent,
    jobs.started_at,
    jobs.completed_at,
    epoch(jobs.completed_at) - epoch(jobs.started_at) AS duration_seconds
FROM trial_details JOIN jobs ON jobs.id = trial_details.id;

-- Of equally good trials the earliest is the best.
CREATE VIEW studies AS
WITH counted AS (
    SELECT
        t.study_id,
        count(*) AS trials_made,
        count(*) FILTER (WHERE t.outcome IS NULL) AS trials_living,
        count(*) FILTER (WHERE t.outcome = 'succeeded') AS trials_succeeded,
        count(*) FILTER (WHERE t.outcome = 'pruned') AS trials_pruned,
        count(*) FILTER (WHERE t.outcome = 'failed') AS trials_failed,
        count(*) FILTER (WHERE t.outcome = 'cancelled') AS trials_cancelled,
        first(t.id ORDER BY CASE s.direction WHEN 'higher' THEN -t.value ELSE t.value END, t.number)
            FILTER (WHERE t.outcome = 'succeeded') AS best_job_id
    FROM trial_details AS t JOIN study_details AS s ON s.id = t.study_id
    GROUP BY t.study_id
)
SELECT
    jobs.* EXCLUDE (id),
    study_details.*,
    coalesce(counted.trials_made, 0) AS trials_made,
    coalesce(counted.trials_living, 0) AS trials_living,
    coalesce(counted.trials_succeeded, 0) AS trials_succeeded,
    coalesce(counted.trials_pruned, 0) AS trials_pruned,
    coalesce(counted.trials_failed, 0) AS trials_failed,
    coalesce(counted.trials_cancelled, 0) AS trials_cancelled,
    best.number AS best_trial,
    best.value AS best_value,
    counted.best_job_id,
    training_details.training_config AS best_config
FROM study_details
JOIN jobs ON jobs.id = study_details.id
LEFT JOIN counted ON counted.study_id = study_details.id
LEFT JOIN trial_details AS best ON best.id = counted.best_job_id
LEFT JOIN training_details ON training_details.id = counted.best_job_id;

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
