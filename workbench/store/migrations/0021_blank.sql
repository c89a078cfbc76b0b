-- A text is blank when all of it is white space; the same characters as in domain/blank.py. Most texts show at their first character.
CREATE MACRO is_blank(text) AS CASE WHEN ascii(text) BETWEEN 33 AND 126 THEN false ELSE NOT regexp_matches(
    coalesce(text, ''),
    '[^\x{9}-\x{D}\x{1C}-\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200D}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]'
) END;

-- A pair that asks or answers nothing teaches nothing: it is left out with a reason of its own.
CREATE OR REPLACE VIEW pair_eligibility AS
SELECT
    training_sheet_id,
    row_index,
    CASE
        WHEN status <> 'labeled' THEN status
        WHEN stale THEN 'stale'
        WHEN prohibited_mask & 1 = 1 THEN 'prohibited'
        WHEN allowed_mask IS NOT NULL AND allowed_mask & 1 = 0 THEN 'not_allowed'
        WHEN is_blank(prompt) OR is_blank(response) THEN 'blank'
    END AS excluded_by,
    prohibited_mask & 2 = 2 OR (allowed_mask IS NOT NULL AND allowed_mask & 2 = 0) AS barred_from_validation
FROM pair_rows;

CREATE OR REPLACE VIEW trainable_pairs AS
SELECT
    training_sheet_id || '.' || row_index AS id,
    training_sheet_id,
    row_index,
    item_ref,
    source_index,
    prompt,
    response,
    response_source,
    sample,
    version,
    prohibited_mask & 2 = 2 OR (allowed_mask IS NOT NULL AND allowed_mask & 2 = 0) AS barred_from_validation
FROM pair_rows
WHERE status = 'labeled' AND NOT stale AND prohibited_mask & 1 = 0 AND (allowed_mask IS NULL OR allowed_mask & 1 = 1)
    AND NOT is_blank(prompt) AND NOT is_blank(response);
