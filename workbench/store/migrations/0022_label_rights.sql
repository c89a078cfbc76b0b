-- What was said by hand of a label's use; what its pairs say of theirs is added to it.
ALTER TABLE canonical_label_versions ADD COLUMN allowed_mask UTINYINT;

ALTER TABLE canonical_label_versions ADD COLUMN prohibited_mask UTINYINT;

UPDATE canonical_label_versions
SET
    allowed_mask = CASE WHEN l.allowed_uses IS NOT NULL THEN coalesce(mask_of(l.allowed_uses), 0::UTINYINT) END,
    prohibited_mask = mask_of(l.prohibited_uses)
FROM canonical_labels AS l
WHERE
    l.id = canonical_label_versions.label_id
    AND NOT canonical_label_versions.retracted
    AND canonical_label_versions.number = (
        SELECT max(v.number) FROM canonical_label_versions AS v WHERE v.label_id = l.id AND NOT v.retracted
    );
