-- Predictions made public, each with whether it is a valid pick and why not.
-- reads: PredictionPublished
-- uses: predictions, events, event_results, odds_snapshots, parlays
-- unique: publishes(publish_id)

-- table
CREATE TABLE publishes (
    publish_id VARCHAR, event_id VARCHAR, prediction_id VARCHAR, channel VARCHAR, visibility VARCHAR,
    decision_reason_codes VARCHAR[], line DOUBLE, odds_format VARCHAR, price VARCHAR, price_decimal DOUBLE, book VARCHAR,
    ticket_selection VARCHAR, copy_template_id VARCHAR, is_official BOOLEAN, in_play BOOLEAN,
    occurred_at TIMESTAMPTZ, published_at TIMESTAMPTZ, origin VARCHAR, recorded_at TIMESTAMPTZ
);

-- fold
INSERT INTO publishes
SELECT ref, event_id, prediction_id, channel, visibility, decision_reason_codes, ticket_terms.line,
       ticket_terms.odds_format, ticket_terms.price, ticket_terms.price_decimal, ticket_terms.book,
       ticket_terms.selection, copy_template_id, is_official, in_play,
       occurred_at, known_at, origin, recorded_at
FROM PredictionPublished;

-- view
-- Of what was told of an event: live picks hear of a record once it is on record, as importers assume times; those of
-- history by these times.
CREATE MACRO heard_before(told, origin, moment) AS
    list_filter(told, lambda one: CASE origin WHEN 'LIVE' THEN one.recorded_at ELSE one.known_at END < moment);

-- An event's status by its newest one and what put it on again, as `events` has it; one that is POSTPONED is not over either way.
CREATE MACRO status_by(state, on_again) AS
    CASE WHEN state.status = 'CANCELLED' AND on_again > (state.occurred_at, state.change_id) THEN 'SCHEDULED' ELSE state.status END;
CREATE MACRO status_of(told) AS status_by(
    list_max([{'occurred_at': one.occurred_at, 'change_id': one.change_id, 'status': one.status}
              for one in told if one.kind = 'STATUS']),
    list_max([(one.occurred_at, one.change_id) for one in told if one.kind IN ('RESCHEDULED', 'STARTED')]));

-- Every publish and every leg of a parlay, each with the rule of the publishing service that it breaks, else null. The
-- service checks its own callers only; other producers' records are held to the same rules here.
-- `snapshot_book` is the odds' own spelling of the book that the snapshot was seen at.
CREATE VIEW judged_legs AS
WITH said AS (
    SELECT *, 0 AS leg, 1 AS legs FROM publishes
    UNION ALL BY NAME
    SELECT parlay_legs.*, parlays.* EXCLUDE (publish_id) FROM parlay_legs JOIN parlays USING (publish_id)
), changes AS NOT MATERIALIZED (
    SELECT event_id, list({'kind': kind, 'occurred_at': occurred_at, 'change_id': change_id, 'status': status,
                           'known_at': known_at, 'recorded_at': recorded_at}) AS told
    FROM event_changes SEMI JOIN (FROM event_changes WHERE kind = 'STATUS') USING (event_id) GROUP BY event_id
), results AS NOT MATERIALIZED (
    SELECT event_id, list({'result_id': result_id, 'corrects': corrects, 'status': status, 'home': home,
                           'time_assumed': time_assumed, 'occurred_at': occurred_at, 'known_at': known_at,
                           'recorded_at': recorded_at}) AS told
    FROM event_result_history GROUP BY event_id
)
SELECT said.*, odds.book AS snapshot_book,
       CASE
           WHEN predictions.prediction_id IS NULL THEN 'UNKNOWN_PREDICTION'
           WHEN coalesce(events.started_at, events.starts_at) IS NULL THEN 'UNKNOWN_EVENT'
           WHEN predictions.event_id <> said.event_id THEN 'OTHER_EVENT'
           WHEN predictions.known_at > published_at THEN 'PREDICTED_AFTER_PUBLISH'
           WHEN status_of(heard_before(changes.told, said.origin, published_at)) IN ('CANCELLED', 'ABANDONED', 'AWARDED')
               THEN 'EVENT_OVER'
           WHEN standing_result(heard_before(results.told, said.origin, published_at)).status
                IN ('FINAL', 'AWARDED', 'WALKOVER', 'RETIRED') THEN 'RESULT_KNOWN'
           WHEN NOT in_play AND published_at >= coalesce(events.started_at, events.starts_at) THEN 'AFTER_START'
           WHEN market_snapshot_id_used IS NULL AND is_official AND said.price IS NOT NULL THEN 'NO_SNAPSHOT'
           WHEN market_snapshot_id_used IS NULL THEN NULL
           WHEN odds.snapshot_id IS NULL THEN 'UNKNOWN_SNAPSHOT'
           WHEN odds.market_key <> predictions.market_key OR odds.selection <> predictions.selection
                OR book_key(odds.book) <> book_key(said.book)
                OR odds.line IS DISTINCT FROM said.line
                -- The same text is the same price, however it was rounded.
                OR said.price IS NOT NULL AND (odds.odds_format, odds.price) <> (said.odds_format, said.price) AND NOT coalesce(
                    -- Exactly in one format, to the rounding of display across two; floats are not to the last bit.
                    abs(odds.price_decimal - said.price_decimal)
                    <= CASE WHEN odds.odds_format = said.odds_format THEN 0 ELSE 0.01 END + 1e-9, false)
               THEN 'TERMS_CONTRADICT_SNAPSHOT'
       END AS invalid_because
FROM said
LEFT JOIN predictions USING (prediction_id)
LEFT JOIN events ON events.event_id = coalesce(said.event_id, predictions.event_id)
LEFT JOIN odds_records AS odds ON odds.snapshot_id = market_snapshot_id_used AND odds.event_id = predictions.event_id
LEFT JOIN changes ON changes.event_id = events.event_id
LEFT JOIN results ON results.event_id = events.event_id;

-- A prediction is one pick, by its first valid official publish; `invalid_because` is null where it may be graded.
CREATE VIEW published_predictions AS
SELECT * EXCLUDE (leg, legs, invalid_because),
       is_official AND invalid_because IS NULL AND row_number() OVER (
           PARTITION BY event_id, prediction_id, is_official AND invalid_because IS NULL ORDER BY published_at, publish_id) = 1 AS is_pick,
       invalid_because
FROM judged_legs WHERE leg = 0;

-- The player or team that a selection of a prop or a team total is about; of any other market, nothing.
CREATE MACRO subject_of(selection) AS CASE WHEN contains(selection, ':') THEN substr(selection, strpos(selection, ':') + 1)
                                           WHEN contains(selection, '_') THEN split_part(selection, '_', 1) ELSE '' END;

-- One row per parlay: invalid for its first bad leg, or for two legs on one market, which repeat or exclude each other; and
-- one pick per set of legs, as a prediction is.
CREATE VIEW published_parlays AS
WITH whole AS (
    SELECT publish_id, channel, is_official, legs, published_at, judged_legs.origin,
           list(prediction_id ORDER BY prediction_id) AS prediction_ids, list(snapshot_book ORDER BY leg) AS snapshot_books,
           coalesce(arg_min(invalid_because, leg) FILTER (invalid_because IS NOT NULL),
                    CASE WHEN count(DISTINCT (predictions.event_id, market_key, subject_of(selection))) < count(*)
                         THEN 'BAD_LEGS' END) AS invalid_because
    FROM judged_legs LEFT JOIN predictions USING (prediction_id) WHERE leg > 0 GROUP BY ALL
)
SELECT *, is_official AND invalid_because IS NULL AND row_number() OVER (
    PARTITION BY prediction_ids, is_official AND invalid_because IS NULL ORDER BY published_at, publish_id) = 1 AS is_pick
FROM whole;

-- The book of a pick: that of its snapshot, as the odds spell it, else the ticket's; none where neither price nor book is told.
CREATE MACRO book_of(price, told, seen) AS CASE WHEN coalesce(price, told) IS NOT NULL THEN coalesce(seen, told) END;

-- The legs of the parlays that count.
CREATE VIEW parlay_picks AS
SELECT publish_id, leg, legs, predictions.event_id, parlay_legs.prediction_id, line, odds_format, price, price_decimal,
       book_of(price, book, snapshot_books[leg]) AS book, market_key, selection, sim_run_id, p_cover,
       p_cover_calibrated, tier, published_at, published.origin,
       events.league, events.sport, channel, coalesce(events.started_at, events.starts_at) AS started_at
FROM published_parlays AS published
JOIN parlay_legs USING (publish_id)
JOIN predictions USING (prediction_id)
JOIN events ON events.event_id = predictions.event_id
WHERE is_pick;

CREATE VIEW picks AS
SELECT published.* EXCLUDE (is_pick, invalid_because, snapshot_book, recorded_at)
           REPLACE (book_of(price, book, snapshot_book) AS book),
       market_key, selection, sim_run_id, market_snapshot_id_used,
       p_cover, coalesce(p_cover_calibrated, p_cover) AS p_served, p_cover_calibrated, tier, predicted_at,
       events.league, events.sport, coalesce(events.started_at, events.starts_at) AS started_at
FROM published_predictions AS published
JOIN predictions USING (prediction_id, event_id)
JOIN events USING (event_id)
WHERE is_pick;

-- query invalid_publishes()
-- Official publishes that count for nothing, and why; a parlay's legs each.
SELECT publish_id, leg, prediction_id, event_id, channel, published_at, invalid_because FROM judged_legs
WHERE is_official AND invalid_because IS NOT NULL ORDER BY published_at, publish_id, leg;
