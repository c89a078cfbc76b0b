-- The latest change of a pair says who judged it only where that was a verdict; a tag of the sheet, a note or rights judge nothing.
-- So the batch of the verdict that a pair stands under is kept beside it, and in the log as it was before and after.
ALTER TABLE pair_rows ADD COLUMN decided_batch BIGINT;

ALTER TABLE decision_log ADD COLUMN decided_before BIGINT;

ALTER TABLE decision_log ADD COLUMN decided_after BIGINT;

CREATE OR REPLACE VIEW decisions AS
SELECT
    decision_log.*,
    decision_details.facts_before,
    decision_details.facts_after,
    decision_details.texts_before,
    decision_details.texts_after,
    decision_details.source_before,
    decision_details.source_after
FROM decision_log
LEFT JOIN decision_details
    ON decision_details.batch = decision_log.batch AND decision_details.row_index = decision_log.row_index;

-- Every state that a pair was in, named by the batch that made it; `upon` is the state whose verdict it still stands under.
CREATE TEMP TABLE _states AS
SELECT
    id,
    batch,
    row_index,
    training_sheet_id,
    action,
    {
        'status': after.status, 'flag_reason': after.flag_reason, 'stale': after.stale, 'labeled_by': after.labeled_by,
        'labeled_at': after.labeled_at
    } AS became,
    CASE
        WHEN action IN ('approve', 'reject', 'flag', 'vote', 'adjudicate', 'import') THEN batch
        -- Who changes the text of an approved pair approves the new one.
        WHEN action = 'edit' AND after.status = 'labeled' AND after.labeled_by = actor AND after.labeled_at = logged_at THEN batch
    END AS decided,
    CASE
        WHEN decided IS NOT NULL THEN NULL
        WHEN action IN ('edit', 'rights') OR (action = 'reassemble' AND before.status = after.status) THEN before.last_batch
    END AS upon
FROM decision_log
WHERE after.last_batch = batch AND after.status <> 'unlabeled';

-- Where fewer votes were asked for later on, the last one there was had settled it.
UPDATE _states SET decided = found.batch
FROM (
    SELECT settled.id, max(votes.batch) AS batch
    FROM _states AS settled
    JOIN votes
        ON votes.training_sheet_id = settled.training_sheet_id
        AND votes.row_index = settled.row_index
        AND votes.batch < settled.batch
        AND (votes.ended_by IS NULL OR votes.ended_by > settled.batch)
    WHERE settled.action = 'settle'
    GROUP BY settled.id
) AS found
WHERE _states.id = found.id;

-- What was brought back is the latest state that was like it.
UPDATE _states SET upon = found.batch
FROM (
    SELECT restored.id, max_by(earlier.batch, earlier.id) AS batch
    FROM _states AS restored
    JOIN _states AS earlier
        ON earlier.training_sheet_id = restored.training_sheet_id
        AND earlier.row_index = restored.row_index
        AND earlier.id < restored.id
        AND earlier.became = restored.became
    WHERE restored.action = 'restore'
    GROUP BY restored.id
) AS found
WHERE _states.id = found.id;

CREATE TEMP TABLE _verdicts AS
WITH RECURSIVE known AS (
    SELECT batch, row_index, decided FROM _states WHERE decided IS NOT NULL
    UNION ALL
    SELECT _states.batch, _states.row_index, known.decided
    FROM known JOIN _states ON _states.upon = known.batch AND _states.row_index = known.row_index
)
SELECT * FROM known;

UPDATE pair_rows SET decided_batch = _verdicts.decided
FROM _verdicts
WHERE pair_rows.last_batch = _verdicts.batch AND pair_rows.row_index = _verdicts.row_index;

UPDATE decision_log SET decided_before = _verdicts.decided
FROM _verdicts
WHERE decision_log.before.last_batch = _verdicts.batch AND decision_log.row_index = _verdicts.row_index;

UPDATE decision_log SET decided_after = _verdicts.decided
FROM _verdicts
WHERE decision_log.after.last_batch = _verdicts.batch AND decision_log.row_index = _verdicts.row_index;

DROP TABLE _states;

DROP TABLE _verdicts;
