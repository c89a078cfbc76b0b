-- What is blank begins before the first character that shows, or after the last of ASCII; the order of a column's texts tells that,
-- so that where none does, none is looked at.
CREATE OR REPLACE MACRO is_blank(text) AS (text IS NULL OR text < '!' OR text > '~') AND NOT regexp_matches(
    coalesce(text, ''),
    '[^\x{9}-\x{D}\x{1C}-\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200D}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]'
);

-- What keeps a pair out of training whatever its texts say.
CREATE MACRO kept_out_by(status, stale, prohibited_mask, allowed_mask) AS CASE
    WHEN status <> 'labeled' THEN status
    WHEN stale THEN 'stale'
    WHEN prohibited_mask & 1 = 1 THEN 'prohibited'
    WHEN allowed_mask IS NOT NULL AND allowed_mask & 1 = 0 THEN 'not_allowed'
END;

CREATE OR REPLACE VIEW pair_eligibility AS
SELECT
    training_sheet_id,
    row_index,
    coalesce(
        kept_out_by(status, stale, prohibited_mask, allowed_mask),
        CASE WHEN is_blank(prompt) OR is_blank(response) THEN 'blank' END
    ) AS excluded_by,
    prohibited_mask & 2 = 2 OR (allowed_mask IS NOT NULL AND allowed_mask & 2 = 0) AS barred_from_validation
FROM pair_rows;
