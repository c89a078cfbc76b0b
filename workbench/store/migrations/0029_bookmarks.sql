-- Where each reviewer is in a training sheet, for a view that is opened without an address: the pair, and the queue it came from.
CREATE TABLE bookmarks (
    training_sheet_id VARCHAR NOT NULL,
    reviewer VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    filter JSON NOT NULL,
    "order" VARCHAR NOT NULL,
    descending BOOLEAN NOT NULL,
    shared BOOLEAN NOT NULL,
    kept_at TIMESTAMP NOT NULL,
    PRIMARY KEY (training_sheet_id, reviewer)
);
