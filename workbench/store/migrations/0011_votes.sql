-- Several people may review a pair: each casts a vote, and enough equal ones settle it.
-- A vote stands until the batch `ended_by` replaces it, takes it back or begins a new round.
-- `upon` is the batch that shaped the pair once the vote was cast: as long as it does, the vote can be taken back.
CREATE TABLE votes (
    batch BIGINT NOT NULL,
    training_sheet_id VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    voter VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    response VARCHAR NOT NULL,
    prompt VARCHAR,
    flag_reason VARCHAR,
    notes VARCHAR,
    allowed_mask UTINYINT,
    prohibited_mask UTINYINT,
    logged_at TIMESTAMP NOT NULL,
    upon BIGINT NOT NULL,
    ended_by BIGINT
);

-- Dissent is the number of votes outside the largest camp.
CREATE VIEW vote_tally AS
SELECT training_sheet_id, row_index, sum(camp)::utinyint AS votes, (sum(camp) - max(camp))::utinyint AS dissent
FROM (
    SELECT training_sheet_id, row_index, action, response, prompt, count(*) AS camp
    FROM votes
    WHERE ended_by IS NULL
    GROUP BY training_sheet_id, row_index, action, response, prompt
)
GROUP BY training_sheet_id, row_index;

-- Pairs whose right answer is known beforehand; reviewers meet them unmarked.
CREATE TABLE gold (
    training_sheet_id VARCHAR NOT NULL,
    row_index BIGINT NOT NULL,
    action VARCHAR NOT NULL,
    response VARCHAR,
    marked_by VARCHAR NOT NULL,
    marked_at TIMESTAMP NOT NULL
);

-- Kept beside the pair so that a queue need not count the votes.
ALTER TABLE pair_rows ADD COLUMN votes UTINYINT DEFAULT 0;

ALTER TABLE pair_rows ADD COLUMN dissent UTINYINT DEFAULT 0;

ALTER TABLE pair_rows ADD COLUMN disputed BOOLEAN DEFAULT false;
