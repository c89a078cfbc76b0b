-- What happened to the rows of sheets after their import; `before` holds the cells as they were.
CREATE TABLE row_changes (
    sheet_id VARCHAR NOT NULL,
    sheet_version BIGINT NOT NULL,
    row_index BIGINT NOT NULL,
    item_ref VARCHAR NOT NULL,
    change VARCHAR NOT NULL,
    before JSON,
    actor VARCHAR NOT NULL,
    logged_at TIMESTAMP NOT NULL
);
