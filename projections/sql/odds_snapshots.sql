-- Every price that was seen, partitioned by month.
-- reads: OddsSnapshotCaptured, RetentionApplied
-- unique: odds_records(snapshot_id), retentions(retention_id)

-- table
CREATE TABLE odds_records (
    snapshot_id VARCHAR, event_id VARCHAR, provider VARCHAR, book VARCHAR, market_key VARCHAR, selection VARCHAR,
    line DOUBLE, odds_format VARCHAR, price VARCHAR, price_decimal DOUBLE, captured_at TIMESTAMPTZ, captured_month DATE,
    captured_at_assumed BOOLEAN, label VARCHAR, capture_id VARCHAR, raw_payload_id VARCHAR, raw_path VARCHAR,
    origin VARCHAR, known_at TIMESTAMPTZ, recorded_at TIMESTAMPTZ
);
CREATE TABLE retentions (
    retention_id VARCHAR, request_id VARCHAR, cutoff TIMESTAMPTZ, kept VARCHAR[], removed BIGINT,
    decided_at TIMESTAMPTZ
);

-- fold
-- The month is taken of a time without zone (it is UTC's): with one, DuckDB asks a calendar, at six times the cost.
INSERT INTO odds_records
SELECT ref, event_id, provider, book, market_key, selection, line, odds_format, price, price_decimal, occurred_at,
       date_trunc('month', make_timestamp(epoch_us(occurred_at))), captured_at_assumed, label, capture_id,
       raw_payload_id, raw_path, origin, known_at, recorded_at
FROM OddsSnapshotCaptured;

INSERT INTO retentions SELECT ref, causation_id, cutoff, kept, removed, occurred_at FROM RetentionApplied;

-- view
-- What retention removed is left out; taking it off the disk is housekeeping.
CREATE VIEW odds_snapshots AS
SELECT * EXCLUDE (recorded_at) FROM odds_records AS odds
WHERE NOT EXISTS (
    FROM retentions WHERE odds.captured_at < cutoff AND odds.recorded_at <= decided_at AND NOT list_contains(kept, snapshot_id)
);

-- query odds_of_event(event_id, market_key = NULL, book = NULL)
-- Every price of one event, oldest first.
SELECT * FROM odds_snapshots
WHERE event_id = $event_id AND market_key = coalesce($market_key, market_key) AND book = coalesce($book, book)
ORDER BY captured_at, book, market_key, selection;
