-- requests is written in batches and never updated: no key to check on the way in.
CREATE TABLE requests (
    id VARCHAR NOT NULL,
    endpoint VARCHAR NOT NULL,
    model_name VARCHAR NOT NULL,
    model_version VARCHAR NOT NULL,
    model_version_id VARCHAR NOT NULL,
    ab_test_id VARCHAR,
    ab_test_arm VARCHAR,
    request_key VARCHAR,
    logged_at TIMESTAMP NOT NULL,
    latency_ms DOUBLE NOT NULL,
    status_code BIGINT NOT NULL,
    tokens_in BIGINT,
    tokens_out BIGINT,
    cost DOUBLE,
    inputs VARCHAR NOT NULL,
    altered BOOLEAN NOT NULL,
    prediction VARCHAR,
    confidence DOUBLE,
    error VARCHAR,
    sample BOOLEAN NOT NULL
);

CREATE TABLE feedback (
    id VARCHAR PRIMARY KEY,
    endpoint VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL,
    model_version_id VARCHAR,
    sentiment VARCHAR NOT NULL,
    score BIGINT,
    corrected VARCHAR,
    comment VARCHAR,
    flagged BOOLEAN NOT NULL,
    pair_id VARCHAR,
    training_sheet_id VARCHAR,
    sample BOOLEAN NOT NULL,
    author VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL
);
