-- A re-assembly may also change which row a pair comes from, and drop the copy of a row that changed meanwhile.
ALTER TABLE decisions ADD COLUMN source_before STRUCT(source_index BIGINT, item_ref VARCHAR, source_snapshot VARCHAR);

ALTER TABLE decisions ADD COLUMN source_after STRUCT(source_index BIGINT, item_ref VARCHAR, source_snapshot VARCHAR);

-- The template before and after a re-assembly, so that it can be taken back with the pairs.
CREATE TABLE reassemblies (
    batch BIGINT NOT NULL,
    training_sheet_id VARCHAR NOT NULL,
    template_id_before VARCHAR,
    template_before JSON,
    template_id_after VARCHAR,
    template_after JSON
);

-- How sure each version was, so that taking a later one back restores that too.
ALTER TABLE canonical_label_versions ADD COLUMN confidence VARCHAR;
