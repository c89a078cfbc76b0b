-- The rows of an external sheet stay in a file: rows_<id> is then a view over it.
ALTER TABLE sheets ADD COLUMN external BOOLEAN DEFAULT false;

-- Path, size and time of that file as it was when it became a sheet.
ALTER TABLE sheets ADD COLUMN fingerprint JSON;
