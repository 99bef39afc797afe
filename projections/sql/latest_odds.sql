-- The newest price per event, book, market and selection; alternative lines left out.
-- reads: OddsSnapshotCaptured

-- table
CREATE TABLE latest_odds (
    event_id VARCHAR, book VARCHAR, market_key VARCHAR, selection VARCHAR, snapshot_id VARCHAR, line DOUBLE,
    price VARCHAR, price_decimal DOUBLE, captured_at TIMESTAMPTZ, origin VARCHAR
);

-- fold
MERGE INTO latest_odds AS held USING (
    SELECT event_id, book, market_key, selection, ref AS snapshot_id, line, price, price_decimal,
           occurred_at AS captured_at, origin
    FROM OddsSnapshotCaptured WHERE label IS DISTINCT FROM 'alternate'
    QUALIFY row_number() OVER (PARTITION BY event_id, book, market_key, selection ORDER BY occurred_at DESC, ref DESC) = 1
) AS now
ON held.event_id = now.event_id AND held.book = now.book AND held.market_key = now.market_key
   AND held.selection = now.selection
WHEN MATCHED AND (now.captured_at, now.snapshot_id) > (held.captured_at, held.snapshot_id) THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;
