-- Each text of a draft is kept only where it was typed; none: as the pair has it. The version is the one of the pair that was seen.
ALTER TABLE drafts ALTER COLUMN response DROP NOT NULL;
ALTER TABLE drafts ADD COLUMN version BIGINT;

-- A response that nobody typed was kept along with a prompt.
UPDATE drafts SET response = NULL
FROM pair_rows
WHERE
    pair_rows.training_sheet_id = drafts.training_sheet_id
    AND pair_rows.row_index = drafts.row_index
    AND pair_rows.response = drafts.response;
