-- Which re-assembly put the template that a training sheet has, and which one it replaced: equal templates are told apart by it.
ALTER TABLE reassemblies ADD COLUMN upon BIGINT;

ALTER TABLE reassemblies ADD COLUMN stands BOOLEAN DEFAULT false;

UPDATE reassemblies
SET upon = (
    SELECT max(o.batch)
    FROM reassemblies AS o
    WHERE
        o.training_sheet_id = reassemblies.training_sheet_id
        AND o.batch < reassemblies.batch
        AND o.template_before IS DISTINCT FROM o.template_after
        AND o.template_after = reassemblies.template_before
);

UPDATE reassemblies
SET stands = true
WHERE batch IN (
    SELECT max(r.batch)
    FROM reassemblies AS r
    JOIN training_sheets AS t ON t.id = r.training_sheet_id AND t.template = r.template_after
    JOIN batches AS b ON b.number = r.batch AND b.undone_at IS NULL
    WHERE r.template_before IS DISTINCT FROM r.template_after
    GROUP BY r.training_sheet_id
);
