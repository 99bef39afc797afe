-- What providers answered: one row per call, or per row of a file.
-- reads: RawPayloadCaptured
-- unique: raw_payloads(raw_payload_id)

-- table
CREATE TABLE raw_payloads (
    raw_payload_id VARCHAR, provider VARCHAR, source VARCHAR, content_type VARCHAR, content VARCHAR, sha256 VARCHAR,
    occurred_at TIMESTAMPTZ, origin VARCHAR
);

-- fold
INSERT INTO raw_payloads
SELECT ref, provider, source, content_type, content, sha256, occurred_at, origin FROM RawPayloadCaptured;
