-- Predictions made public, each with whether it is a valid pick and why not.
-- reads: PredictionPublished
-- uses: predictions, events, odds_snapshots
-- unique: publishes(publish_id)

-- table
CREATE TABLE publishes (
    publish_id VARCHAR, event_id VARCHAR, prediction_id VARCHAR, channel VARCHAR, visibility VARCHAR,
    decision_reason_codes VARCHAR[], line DOUBLE, odds_format VARCHAR, price VARCHAR, price_decimal DOUBLE, book VARCHAR,
    ticket_selection VARCHAR, copy_template_id VARCHAR, is_official BOOLEAN, in_play BOOLEAN, published_at TIMESTAMPTZ,
    origin VARCHAR
);

-- fold
INSERT INTO publishes
SELECT ref, event_id, prediction_id, channel, visibility, decision_reason_codes, ticket_terms.line,
       ticket_terms.odds_format, ticket_terms.price, ticket_terms.price_decimal, ticket_terms.book,
       ticket_terms.selection, copy_template_id, is_official, in_play, known_at, origin
FROM PredictionPublished;

-- view
-- A prediction is one pick, by its first official publish; `invalid_because` is null where it may be graded.
CREATE VIEW published_predictions AS
SELECT publishes.*,
       is_official AND row_number() OVER (
           PARTITION BY prediction_id, is_official ORDER BY published_at, publish_id) = 1 AS is_pick,
       CASE
           WHEN predictions.prediction_id IS NULL THEN 'UNKNOWN_PREDICTION'
           WHEN coalesce(events.started_at, events.starts_at) IS NULL THEN 'UNKNOWN_EVENT'
           WHEN predictions.event_id <> publishes.event_id THEN 'OTHER_EVENT'
           WHEN predictions.known_at > published_at THEN 'PREDICTED_AFTER_PUBLISH'
           WHEN NOT in_play AND published_at >= coalesce(events.started_at, events.starts_at) THEN 'AFTER_START'
           WHEN market_snapshot_id_used IS NOT NULL AND odds.snapshot_id IS NULL THEN 'UNKNOWN_SNAPSHOT'
           WHEN lower(trim(odds.book)) = lower(trim(publishes.book)) AND (
               odds.line IS DISTINCT FROM publishes.line OR abs(odds.price_decimal - publishes.price_decimal) > 0.01)
               THEN 'TERMS_CONTRADICT_SNAPSHOT'
       END AS invalid_because
FROM publishes
LEFT JOIN predictions USING (prediction_id)
LEFT JOIN events ON events.event_id = publishes.event_id
LEFT JOIN odds_records AS odds ON odds.snapshot_id = predictions.market_snapshot_id_used;

CREATE VIEW picks AS
SELECT published.* EXCLUDE (is_pick, invalid_because), market_key, selection, sim_run_id, market_snapshot_id_used,
       p_cover, coalesce(p_cover_calibrated, p_cover) AS p_served, p_cover_calibrated, tier, predicted_at,
       events.league, events.sport, coalesce(events.started_at, events.starts_at) AS started_at
FROM published_predictions AS published
JOIN predictions USING (prediction_id)
JOIN events ON events.event_id = published.event_id
WHERE is_pick AND invalid_because IS NULL;

-- query invalid_publishes()
-- Official publishes that count for nothing, and why.
SELECT publish_id, prediction_id, event_id, channel, published_at, invalid_because FROM published_predictions
WHERE is_official AND invalid_because IS NOT NULL ORDER BY published_at, publish_id;
