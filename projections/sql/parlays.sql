-- Published parlays, and one row per leg with whether it is valid.
-- reads: ParlayPublished
-- uses: published_predictions, predictions, events
-- unique: parlays(publish_id)

-- table
CREATE TABLE parlays (
    publish_id VARCHAR, channel VARCHAR, visibility VARCHAR, decision_reason_codes VARCHAR[], copy_template_id VARCHAR,
    is_official BOOLEAN, in_play BOOLEAN, legs INTEGER, published_at TIMESTAMPTZ, origin VARCHAR
);
CREATE TABLE parlay_legs (
    publish_id VARCHAR, leg INTEGER, prediction_id VARCHAR, line DOUBLE, odds_format VARCHAR, price VARCHAR,
    price_decimal DOUBLE, book VARCHAR
);

-- fold
INSERT INTO parlays
SELECT ref, channel, visibility, decision_reason_codes, copy_template_id, is_official, in_play, len(legs), known_at, origin
FROM ParlayPublished;

INSERT INTO parlay_legs
SELECT ref, leg, said.prediction_id, said.ticket_terms.line, said.ticket_terms.odds_format, said.ticket_terms.price,
       said.ticket_terms.price_decimal, said.ticket_terms.book
FROM (SELECT ref, unnest(legs) AS said, generate_subscripts(legs, 1) AS leg FROM ParlayPublished);

-- view
-- An official parlay counts only if every leg was predicted before it was published, and published before its start.
CREATE VIEW parlay_picks AS
SELECT parlays.publish_id, leg, parlays.legs, predictions.event_id, parlay_legs.prediction_id, parlay_legs.line,
       odds_format, price, price_decimal, book, market_key, selection, p_cover, p_cover_calibrated,
       parlays.published_at, parlays.origin, events.league, events.sport, channel,
       coalesce(events.started_at, events.starts_at) AS started_at
FROM parlay_legs
JOIN parlays USING (publish_id)
JOIN predictions USING (prediction_id)
JOIN events ON events.event_id = predictions.event_id
WHERE is_official
WINDOW whole AS (PARTITION BY parlays.publish_id)
QUALIFY count(*) OVER whole = parlays.legs
    AND bool_and(predictions.known_at <= parlays.published_at
                 AND coalesce(events.started_at, events.starts_at) IS NOT NULL
                 AND (in_play OR parlays.published_at < coalesce(events.started_at, events.starts_at))) OVER whole;
