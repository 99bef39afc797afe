-- Every price that was seen, partitioned by month.
-- reads: OddsSnapshotCaptured, RetentionApplied
-- unique: odds_records(snapshot_id), retention_parts(part_id)

-- table
CREATE TABLE odds_records (
    snapshot_id VARCHAR, event_id VARCHAR, provider VARCHAR, book VARCHAR, market_key VARCHAR, selection VARCHAR,
    line DOUBLE, odds_format VARCHAR, price VARCHAR, price_decimal DOUBLE, captured_at TIMESTAMPTZ, captured_month DATE,
    captured_at_assumed BOOLEAN, label VARCHAR, capture_id VARCHAR, raw_payload_id VARCHAR, raw_path VARCHAR,
    origin VARCHAR, known_at TIMESTAMPTZ, recorded_at TIMESTAMPTZ
);
CREATE TABLE retention_parts (
    part_id VARCHAR, retention_id VARCHAR, request_id VARCHAR, part BIGINT, parts BIGINT, cutoff TIMESTAMPTZ,
    keep_closing_lines BOOLEAN, removed BIGINT, decided_at TIMESTAMPTZ
);
CREATE TABLE retention_kept (retention_id VARCHAR, snapshot_id VARCHAR);

-- A book is one book, however a source writes its name.
CREATE MACRO book_key(name) AS lower(trim(name));

-- fold
-- The month is taken of a time without zone (it is UTC's): with one, DuckDB asks a calendar, at six times the cost.
INSERT INTO odds_records
SELECT ref, event_id, provider, book, market_key, selection, line, odds_format, price, price_decimal, occurred_at,
       date_trunc('month', make_timestamp(epoch_us(occurred_at))), captured_at_assumed, label, capture_id,
       raw_payload_id, raw_path, origin, known_at, recorded_at
FROM OddsSnapshotCaptured;

INSERT INTO retention_parts
SELECT ref, coalesce(decision, ref), causation_id, part, parts, cutoff, keep_closing_lines, removed, occurred_at
FROM RetentionApplied;

INSERT INTO retention_kept SELECT coalesce(decision, ref), unnest(kept) FROM RetentionApplied;

-- view
-- A retention takes effect when its last part is here: before that, what the missing parts keep would be left out.
CREATE VIEW retentions AS
SELECT retention_id, request_id, cutoff, keep_closing_lines, removed, decided_at FROM retention_parts
GROUP BY retention_id, request_id, cutoff, keep_closing_lines, removed, decided_at, parts
HAVING count(DISTINCT part) = parts;

-- What is old to a retention and not kept by it; what was told after its decision is not its concern.
CREATE VIEW odds_removals AS
SELECT snapshot_id, event_id, retention_id, decided_at, keep_closing_lines
FROM odds_records AS odds JOIN retentions ON odds.captured_at < cutoff AND odds.recorded_at <= decided_at
ANTI JOIN retention_kept USING (retention_id, snapshot_id);

-- What retention removed is left out; taking it off the disk is housekeeping.
CREATE VIEW odds_snapshots AS
SELECT * EXCLUDE (recorded_at) FROM odds_records ANTI JOIN odds_removals USING (snapshot_id);

-- query odds_of_event(event_id, market_key = NULL, book = NULL)
-- Every price of one event, oldest first.
SELECT * FROM odds_snapshots
WHERE event_id = $event_id AND market_key = coalesce($market_key, market_key)
  AND book_key(book) = book_key(coalesce($book, book))
ORDER BY captured_at, book, market_key, selection;
