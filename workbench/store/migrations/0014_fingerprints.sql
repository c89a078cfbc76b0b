-- A row whose cells have another fingerprint by now changed since the scan.
ALTER TABLE row_signals ADD COLUMN fingerprint BIGINT;
