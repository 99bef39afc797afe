-- The newest price per event, book, market and selection; alternative lines left out.
-- reads: OddsSnapshotCaptured

-- table
CREATE TABLE latest_odds (
    event_id VARCHAR, book VARCHAR, market_key VARCHAR, selection VARCHAR, snapshot_id VARCHAR, line DOUBLE,
    price VARCHAR, price_decimal DOUBLE, captured_at TIMESTAMPTZ, origin VARCHAR
);

-- fold
MERGE INTO latest_odds AS held USING (
    -- The largest of the structs is the newest, since time and id come first in them.
    SELECT event_id, book, market_key, selection, unnest(max({
        'captured_at': occurred_at, 'snapshot_id': ref, 'line': line, 'price': price, 'price_decimal': price_decimal,
        'origin': origin}))
    FROM OddsSnapshotCaptured WHERE label IS DISTINCT FROM 'alternate'
    GROUP BY event_id, book, market_key, selection
) AS now
ON held.event_id = now.event_id AND held.book = now.book AND held.market_key = now.market_key
   AND held.selection = now.selection
WHEN MATCHED AND (now.captured_at, now.snapshot_id) > (held.captured_at, held.snapshot_id) THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;
