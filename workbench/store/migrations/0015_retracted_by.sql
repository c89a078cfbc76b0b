-- Which batch took a version back, so that making it again brings exactly these versions back.
ALTER TABLE canonical_label_versions ADD COLUMN retracted_by BIGINT;
