-- The latest figures of a training that has ended: a list of jobs need not look for them among all points.
ALTER TABLE training_details ADD COLUMN metrics JSON;

UPDATE training_details SET metrics = coalesce(
    (
        SELECT json_group_object(latest.name, CASE WHEN isfinite(latest.value) THEN latest.value END)
        FROM (
            SELECT job_id, name, arg_max(value, step) AS value
            FROM metrics
            WHERE name IN ('train_loss', 'val_loss', 'train_accuracy', 'val_accuracy', 'learning_rate')
            GROUP BY job_id, name
        ) AS latest
        WHERE latest.job_id = training_details.id
    ),
    '{}'
)
WHERE id IN (SELECT id FROM jobs WHERE completed_at IS NOT NULL);

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
    training_details.metrics,
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
