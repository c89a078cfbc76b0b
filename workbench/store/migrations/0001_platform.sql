-- What every part of the workbench stands on: events, answered commands, settings, who did what.

create table outbox (
    seq bigint primary key,
    topic varchar not null,
    id varchar not null,
    version bigint,
    kind varchar not null,
    actor varchar not null,
    logged_at timestamp not null
);

create table idempotency (
    actor varchar not null,
    key varchar not null,
    request_hash varchar not null,
    status integer not null,
    answer json,
    created_at timestamp not null,
    primary key (actor, key)
);

create table settings (
    key varchar primary key,
    value json,
    version bigint not null default 1,
    updated_at timestamp not null,
    updated_by varchar not null
);

create table audit_log (
    id varchar primary key,
    actor varchar not null,
    operation varchar not null,
    target_kind varchar,
    target_id varchar,
    outcome varchar not null,
    request_id varchar,
    logged_at timestamp not null
);
