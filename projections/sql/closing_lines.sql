-- The last price at or before the start, per event, book, market and selection, with where it comes from.
-- reads: OddsSnapshotCaptured, EventScheduled, EventRescheduled, EventStarted
-- uses: events, odds_snapshots

-- table
CREATE TABLE closing_lines (
    event_id VARCHAR, book VARCHAR, market_key VARCHAR, selection VARCHAR, snapshot_id VARCHAR, line DOUBLE,
    odds_format VARCHAR, price VARCHAR, price_decimal DOUBLE, captured_at TIMESTAMPTZ, captured_at_assumed BOOLEAN,
    capture_id VARCHAR, label VARCHAR, started_at TIMESTAMPTZ, known_at TIMESTAMPTZ
);

-- fold
-- Where a start became known or moved, the event's closes are made again from all of its odds.
DELETE FROM closing_lines WHERE event_id IN (
    SELECT event_id FROM EventScheduled UNION SELECT event_id FROM EventRescheduled UNION SELECT event_id FROM EventStarted
);

INSERT INTO closing_lines BY NAME
WITH moved AS (
    SELECT event_id FROM EventScheduled UNION SELECT event_id FROM EventRescheduled UNION SELECT event_id FROM EventStarted
), starts AS (SELECT event_id, coalesce(started_at, starts_at) AS started_at FROM events SEMI JOIN moved USING (event_id))
-- The largest of the structs is the newest, since time and id come first in them.
SELECT event_id, book, market_key, selection, any_value(started_at) AS started_at, unnest(max({
    'captured_at': captured_at, 'snapshot_id': snapshot_id, 'line': line, 'odds_format': odds_format, 'price': price,
    'price_decimal': price_decimal, 'captured_at_assumed': captured_at_assumed, 'capture_id': capture_id,
    'label': label, 'known_at': known_at}))
FROM odds_records JOIN starts USING (event_id)
WHERE captured_at <= started_at AND label IS DISTINCT FROM 'alternate'
GROUP BY event_id, book, market_key, selection;

-- Apart from that, since DuckDB plans for as many rows as `odds_records` has: with 7 million 72 ms for one price, alone 4.
-- The events whose closes were made anew above have these prices already.
MERGE INTO closing_lines AS held USING (
    SELECT event_id, book, market_key, selection, any_value(started_at) AS started_at, unnest(max({
        'captured_at': occurred_at, 'snapshot_id': ref, 'line': line, 'odds_format': odds_format, 'price': price,
        'price_decimal': price_decimal, 'captured_at_assumed': captured_at_assumed, 'capture_id': capture_id,
        'label': label, 'known_at': known_at}))
    FROM OddsSnapshotCaptured
    ANTI JOIN (
        SELECT event_id FROM EventScheduled UNION SELECT event_id FROM EventRescheduled UNION SELECT event_id FROM EventStarted
    ) AS moved USING (event_id)
    JOIN (SELECT event_id, coalesce(started_at, starts_at) AS started_at FROM events) USING (event_id)
    WHERE occurred_at <= started_at AND label IS DISTINCT FROM 'alternate'
    GROUP BY event_id, book, market_key, selection
) AS now
ON held.event_id = now.event_id AND held.book = now.book AND held.market_key = now.market_key
   AND held.selection = now.selection
WHEN MATCHED AND (now.captured_at, now.snapshot_id) > (held.captured_at, held.snapshot_id) THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;

-- query closing_line(event_id, market_key = NULL, book = NULL)
-- The closes of one event, with how long before the start each was seen.
SELECT *, date_diff('second', captured_at, started_at) AS seconds_before_start FROM closing_lines
WHERE event_id = $event_id AND market_key = coalesce($market_key, market_key)
  AND book_key(book) = book_key(coalesce($book, book))
ORDER BY market_key, book, selection;
