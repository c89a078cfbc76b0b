-- Where answers are asked for. The key is not here: only the name of the environment variable that holds it.
CREATE TABLE providers (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    protocol VARCHAR NOT NULL,
    aliases VARCHAR[],
    base_url VARCHAR,
    model VARCHAR,
    key_variable VARCHAR,
    requests_per_minute BIGINT,
    concurrency BIGINT NOT NULL,
    price_in DOUBLE,
    price_out DOUBLE,
    timeout_seconds DOUBLE NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR,
    updated_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL
);

-- Append-only: the record of what was asked and paid for, and the cache of answers that may be given again.
CREATE TABLE generated_answers (
    job_id VARCHAR NOT NULL,
    training_sheet_id VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    key VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    response VARCHAR,
    fault VARCHAR,
    confidence DOUBLE,
    simulated BOOLEAN NOT NULL,
    provider VARCHAR NOT NULL,
    model VARCHAR,
    finish_reason VARCHAR,
    tokens_in BIGINT,
    tokens_out BIGINT,
    cost DOUBLE,
    tries BIGINT NOT NULL,
    reusable BOOLEAN NOT NULL,
    logged_at TIMESTAMP NOT NULL
);
