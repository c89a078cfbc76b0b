-- A row whose cells have another fingerprint by now changed since the scan.
ALTER TABLE sheet_signals ADD COLUMN fingerprint BIGINT;
