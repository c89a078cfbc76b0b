-- Attempts of one job: how often it was tried again by itself, when the next attempt may begin, whether there is a
-- checkpoint to go on from, and whether it was asked to go on from its parent's.
ALTER TABLE jobs ADD COLUMN not_before TIMESTAMP;

ALTER TABLE jobs ADD COLUMN retries BIGINT DEFAULT 0;

ALTER TABLE jobs ADD COLUMN resumable BOOLEAN DEFAULT false;

ALTER TABLE jobs ADD COLUMN resume BOOLEAN DEFAULT false;

-- A training job counts mini-batches, all epochs alike: so many of them done are so many epochs completed.
CREATE OR REPLACE VIEW training_jobs AS
SELECT
    jobs.id,
    training_details.training_sheet_id,
    training_details.training_sheet_name,
    training_details.model_name,
    training_details.base_model,
    training_details.trainer,
    training_details.training_config,
    training_details.train_val_split,
    training_details.total_pairs,
    training_details.train_pairs,
    training_details.val_pairs,
    training_details.total_epochs,
    training_details.register_to_uc,
    training_details.uc_catalog,
    training_details.uc_schema,
    training_details.mlflow_run_id,
    training_details.fmapi_job_id,
    training_details.model_version_id,
    jobs.kind,
    jobs.name,
    jobs.status,
    jobs.progress_percent,
    jobs.done,
    jobs.total,
    jobs.step,
    jobs.message,
    jobs.eta_seconds,
    jobs.parent_id,
    jobs.spec,
    jobs.result,
    jobs.error_code,
    jobs.error_message,
    jobs.error_details,
    jobs.created_at,
    jobs.created_by,
    jobs.queued_at,
    jobs.started_at,
    jobs.completed_at,
    jobs.updated_at,
    jobs.worker,
    jobs.pid,
    jobs.heartbeat_at,
    jobs.attempt,
    jobs.retries,
    jobs.not_before,
    jobs.resumable,
    jobs.resume,
    jobs.priority,
    jobs.timeout_seconds,
    jobs.lease_seconds,
    jobs.cancel_requested,
    jobs.cancel_reason,
    jobs.stop_requested,
    jobs.idempotency_key,
    jobs.labels,
    jobs.sample,
    jobs.journal_offset,
    jobs.journal_seq,
    jobs.event_seq,
    jobs.version,
    -- A trainer without epochs has none to count.
    coalesce(jobs.done * training_details.total_epochs // nullif(jobs.total, 0), 0) AS current_epoch
FROM jobs JOIN training_details ON training_details.id = jobs.id;
