-- A reviewer may type into the prompt as well; none: the prompt is as stored.
ALTER TABLE drafts ADD COLUMN prompt VARCHAR;
