CREATE TABLE jobs (
    id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    progress_percent DOUBLE NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT,
    step VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    eta_seconds DOUBLE,
    parent_id VARCHAR,
    spec JSON NOT NULL,
    result JSON,
    error_code VARCHAR,
    error_message VARCHAR,
    error_details VARCHAR,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR NOT NULL,
    queued_at TIMESTAMP,
    started_at TIMESTAMP,
    completed_at TIMESTAMP,
    updated_at TIMESTAMP NOT NULL,
    worker VARCHAR,
    pid BIGINT,
    heartbeat_at TIMESTAMP,
    attempt BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    timeout_seconds DOUBLE,
    cancel_requested BOOLEAN NOT NULL,
    cancel_reason VARCHAR,
    stop_requested BOOLEAN NOT NULL,
    idempotency_key VARCHAR,
    labels JSON NOT NULL,
    sample BOOLEAN NOT NULL,
    journal_offset BIGINT NOT NULL,
    journal_seq BIGINT NOT NULL,
    event_seq BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE job_events (
    job_id VARCHAR NOT NULL,
    seq BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    type VARCHAR NOT NULL,
    old_status VARCHAR,
    new_status VARCHAR,
    message VARCHAR NOT NULL,
    data JSON,
    logged_at TIMESTAMP NOT NULL,
    PRIMARY KEY (job_id, seq)
);

CREATE TABLE metrics (
    job_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    step BIGINT NOT NULL,
    epoch BIGINT,
    value DOUBLE,
    logged_at TIMESTAMP NOT NULL
);

CREATE TABLE job_pairs (
    job_id VARCHAR NOT NULL,
    pair_id VARCHAR NOT NULL,
    pair_version BIGINT NOT NULL,
    split VARCHAR NOT NULL,
    PRIMARY KEY (job_id, pair_id)
);

CREATE TABLE training_details (
    id VARCHAR PRIMARY KEY,
    training_sheet_id VARCHAR NOT NULL,
    training_sheet_name VARCHAR NOT NULL,
    model_name VARCHAR NOT NULL,
    base_model VARCHAR NOT NULL,
    trainer VARCHAR NOT NULL,
    training_config JSON NOT NULL,
    train_val_split DOUBLE NOT NULL,
    total_pairs BIGINT NOT NULL,
    train_pairs BIGINT NOT NULL,
    val_pairs BIGINT NOT NULL,
    total_epochs BIGINT,
    register_to_uc BOOLEAN NOT NULL,
    uc_catalog VARCHAR,
    uc_schema VARCHAR,
    mlflow_run_id VARCHAR,
    fmapi_job_id VARCHAR,
    model_version_id VARCHAR
);
