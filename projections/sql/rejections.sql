-- Input that was refused, and the tally of every file.
-- reads: InputRejected, FileImported
-- unique: rejections(rejection_id), imported_files(import_id)

-- table
CREATE TABLE rejections (
    rejection_id VARCHAR, source VARCHAR, location VARCHAR, kind VARCHAR, "column" VARCHAR, reason VARCHAR, raw VARCHAR,
    rejected_at TIMESTAMPTZ, origin VARCHAR
);
CREATE TABLE imported_files (
    import_id VARCHAR, source VARCHAR, sha256 VARCHAR, format VARCHAR, "rows" BIGINT, accepted BIGINT, rejected BIGINT,
    rejected_cells BIGINT, occurred_at TIMESTAMPTZ
);

-- fold
INSERT INTO rejections
SELECT ref, source, location, kind, "column", reason, raw, occurred_at, origin FROM InputRejected;

INSERT INTO imported_files
SELECT ref, source, sha256, format, "rows", accepted, rejected, rejected_cells, occurred_at FROM FileImported;

-- query imports()
-- The tally of every file: rows = accepted + rejected.
SELECT * EXCLUDE (import_id) FROM imported_files ORDER BY source;

-- query rejections_by_reason()
-- How often each reason refused a row or a cell.
SELECT source, kind, "column", reason, count(*) AS n FROM rejections GROUP BY ALL ORDER BY n DESC, source, reason;
