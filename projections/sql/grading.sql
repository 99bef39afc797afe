-- Grades: the current one per pick in `grading`, every one ever made in `gradings`.
-- reads: PredictionGraded, GradingRequested, GradingCompleted
-- uses: published_predictions, predictions, parlays, events, event_results, odds_snapshots, closing_lines, sim_runs, dead_letters
-- unique: gradings(grade_id), grading(publish_id)

-- table
CREATE TABLE gradings (
    grade_id VARCHAR, publish_id VARCHAR, prediction_ids VARCHAR[], revision BIGINT, outcome VARCHAR, summary VARCHAR,
    parts STRUCT(stake VARCHAR, outcome VARCHAR)[], unit_return DECIMAL(28, 12), unit_return_exact VARCHAR,
    reason VARCHAR, rulebook VARCHAR, rulebook_version VARCHAR, decision_version VARCHAR, inputs VARCHAR,
    result_ids VARCHAR[], start_ids VARCHAR[], close_snapshot_id VARCHAR, close_reason VARCHAR, close_book VARCHAR,
    close_at TIMESTAMPTZ, close_line DOUBLE, close_price_decimal DOUBLE, clv_price DOUBLE, clv_probability DOUBLE,
    clv_ev DOUBLE, clv_points DOUBLE, no_vig_method VARCHAR, margin_model VARCHAR, brier DOUBLE, log_loss DOUBLE,
    brier_calibrated DOUBLE, log_loss_calibrated DOUBLE, forced_by VARCHAR, decided_at TIMESTAMPTZ, recorded_at TIMESTAMPTZ
);
CREATE TABLE grading AS FROM gradings LIMIT 0;
CREATE TABLE grading_requests (
    request_id VARCHAR, publish_id VARCHAR, lookback_hours DOUBLE, force BOOLEAN, requested_by VARCHAR, why VARCHAR,
    requested_at TIMESTAMPTZ
);
CREATE TABLE grading_answers (
    request_id VARCHAR, graded BIGINT, voided BIGINT, pending BIGINT, grade_id VARCHAR, pending_because VARCHAR,
    answered_at TIMESTAMPTZ
);

-- fold
INSERT INTO gradings BY NAME
SELECT ref AS grade_id, occurred_at AS decided_at, * EXCLUDE (
    record_id, ref, event_id, occurred_at, known_at, origin, producer, correlation_id, causation_id, topic, "partition",
    "offset")
FROM PredictionGraded;

MERGE INTO grading USING (
    SELECT ref AS grade_id, occurred_at AS decided_at, * EXCLUDE (
        record_id, ref, event_id, occurred_at, known_at, origin, producer, correlation_id, causation_id, topic,
        "partition", "offset")
    FROM PredictionGraded SEMI JOIN (
        SELECT max((revision, ref)) AS newest FROM PredictionGraded GROUP BY publish_id
    ) ON (revision, ref) = newest
) AS now ON grading.publish_id = now.publish_id
WHEN MATCHED AND (now.revision, now.grade_id) > (grading.revision, grading.grade_id) THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;

INSERT INTO grading_requests
SELECT record_id, publish_id, lookback_hours, force, requested_by, why, occurred_at FROM GradingRequested;

INSERT INTO grading_answers SELECT causation_id, graded, voided, pending, grade_id, pending_because, occurred_at FROM GradingCompleted;

-- view
-- Days and months are UTC's: of a time without zone, since one with it is dated in the zone of whoever reads. `beat_close`
-- as `grading.clv` has it: at the same line by the price, else by the expected value, else where number and price agree.
CREATE VIEW graded_picks AS
SELECT picks.*, grading.* EXCLUDE (publish_id),
       CASE sign(CASE WHEN clv_price IS NOT NULL THEN clv_price WHEN clv_points IS NULL THEN NULL
                      WHEN clv_ev IS NOT NULL THEN CASE WHEN abs(clv_ev) < 1e-12 THEN 0 ELSE clv_ev END
                      WHEN clv_points * (price_decimal - close_price_decimal) >= 0 THEN clv_points END)
           WHEN 1 THEN 'yes' WHEN -1 THEN 'no' WHEN 0 THEN 'equal' END AS beat_close, runs.model_version, runs.feature_set_version,
       runs.decision_policy_version, runs.sim_run_id IS NOT NULL AS has_run,
       make_timestamp(epoch_us(picks.started_at))::DATE AS day, date_trunc('month', day)::DATE AS month
FROM picks
JOIN grading USING (publish_id)
LEFT JOIN sim_run_starts AS runs USING (sim_run_id);

-- What all legs of a parlay share, else 'MULTI'; null where none has it.
CREATE MACRO shared_by_legs(one) AS
    CASE WHEN count(DISTINCT one) = 1 AND count(one) = count(*) THEN min(one) WHEN count(one) > 0 THEN 'MULTI' END;

-- A parlay with its current grade, dated by its last leg.
CREATE VIEW graded_parlays AS
SELECT parlay.*, grading.* EXCLUDE (publish_id), make_timestamp(epoch_us(started_at))::DATE AS day,
       date_trunc('month', day)::DATE AS month
FROM (
    SELECT publish_id, channel, published_at, parlay_picks.origin, legs, 'PARLAY' AS market_key,
           shared_by_legs(league) AS league, shared_by_legs(sport) AS sport, shared_by_legs(book_key(book)) AS book,
           shared_by_legs(tier) AS tier, shared_by_legs(model_version) AS model_version,
           max(parlay_picks.started_at) AS started_at
    FROM parlay_picks LEFT JOIN sim_run_starts AS runs USING (sim_run_id)
    GROUP BY publish_id, channel, published_at, parlay_picks.origin, legs
) AS parlay
JOIN grading USING (publish_id);

-- From which start on a request asks for grades: it looks back a hundred years and no further.
CREATE MACRO asked_since(requested_at, lookback_hours) AS requested_at - to_seconds(least(lookback_hours, 876000) * 3600);

-- What is graded, in one form: picks, and the legs of parlays.
CREATE VIEW gradable_picks AS
SELECT publish_id, 0 AS leg, 1 AS legs, event_id, prediction_id, line, odds_format, price, price_decimal, book, market_key,
       selection, market_snapshot_id_used, p_cover, p_cover_calibrated, in_play, published_at, origin, league, sport, started_at
FROM picks;
CREATE VIEW gradable_legs AS SELECT * EXCLUDE (channel, tier, sim_run_id) FROM parlay_picks;

-- Those of one of these views whose event has, or had, a result or a status, or was put off, beside all that a grade is
-- decided from; of the events in `touched`, or of all where it is null. One view at a time: for one event DuckDB plans
-- longer than it runs, and most events have no parlay.
CREATE MACRO grading_inputs(gradables, touched) AS TABLE
WITH gradable AS (
    FROM query_table(gradables) WHERE touched IS NULL OR list_contains(touched, event_id)
), heard AS (
    -- What was told of games that were ever put off, beside each time at which they were published. Importers tell the
    -- calendar of a moment before its picks; of live records of one moment the pick is the first.
    SELECT event_changes.*, published_at, known_at < published_at OR known_at = published_at AND origin = 'BACKFILL' AS before,
           kind IN ('SCHEDULED', 'RESCHEDULED') AS plans
    FROM event_changes
    JOIN (SELECT DISTINCT event_id, published_at FROM gradable) USING (event_id)
    SEMI JOIN (FROM event_changes WHERE kind = 'RESCHEDULED' OR status = 'POSTPONED') USING (event_id)
    WHERE touched IS NULL OR event_id IN (SELECT unnest(touched))
), put_off AS (
    -- Each by its own plan; `put_off_id` is null where nothing put the game off after that plan.
    SELECT event_id, published_at, plan.starts_at AS planned_at, plan.change_id AS plan_id,
           CASE WHEN coalesce(moved > plan_known, true) THEN moved.change_id END AS put_off_id
    FROM (
        SELECT event_id, published_at,
               coalesce(arg_max(heard, (NOT coalesce(start_assumed, false), occurred_at, change_id)) FILTER (plans AND before),
                        arg_min(heard, (kind = 'RESCHEDULED', occurred_at, change_id)) FILTER (plans)) AS plan,
               max({'known_at': known_at, 'occurred_at': occurred_at, 'change_id': change_id})
                   FILTER (kind = 'RESCHEDULED' AND before) AS plan_known,
               max({'known_at': known_at, 'occurred_at': occurred_at, 'change_id': change_id})
                   FILTER (kind = 'RESCHEDULED' AND NOT before OR status = 'POSTPONED') AS moved
        FROM heard GROUP BY event_id, published_at
    )
), on_again AS (
    -- 'Not played' is over once the game is on again, as in `events`: then another result is awaited.
    SELECT DISTINCT event_id, true AS is_on_again FROM event_results AS off JOIN event_changes AS change USING (event_id)
    WHERE off.status = 'POSTPONED' AND off.home IS NULL AND kind IN ('RESCHEDULED', 'STARTED')
      AND (change.occurred_at, change_id) > (off.occurred_at, result_id)
), results AS (
    FROM event_results ANTI JOIN on_again USING (event_id)
), told AS (
    SELECT event_id, max(known_at) AS events_known_at, count(DISTINCT sport) > 1 AS sport_was_mended,
           bool_or(kind = 'STATUS') AS had_status
    FROM event_changes WHERE touched IS NULL OR event_id IN (SELECT unnest(touched)) GROUP BY event_id
), due AS (
    SELECT gradable.*, events_known_at, sport_was_mended, events.status AS event_status, events.status_id, events.start_id,
           events.started_at IS NOT NULL AS has_started, planned_at, put_off_id,
           CASE WHEN put_off_id IS NOT NULL THEN plan_id END AS plan_id,
           results.* EXCLUDE (event_id, occurred_at, known_at, origin, raw_payload_id, raw_path, status),
           results.status AS result_status, results.known_at AS result_known_at
    FROM gradable
    JOIN events USING (event_id)
    JOIN told USING (event_id)
    LEFT JOIN results USING (event_id)
    LEFT JOIN on_again USING (event_id)
    LEFT JOIN put_off USING (event_id, published_at)
    WHERE (results.result_id IS NOT NULL OR is_on_again OR had_status OR put_off_id IS NOT NULL)
      AND (touched IS NULL OR event_id IN (SELECT unnest(touched)))
      AND event_id NOT IN (FROM held_events)
      AND gradable.sport IS NOT NULL  -- an event that nobody scheduled has started, or a result: no rulebook is its own
), closes AS (
    -- Only of what is picked: to put those of all markets in order took most of a look at all picks.
    SELECT event_id, market_key,
           list({'snapshot_id': snapshot_id, 'book': book, 'selection': selection, 'line': line, 'price': price,
                 'odds_format': odds_format, 'captured_at': captured_at, 'capture_id': capture_id, 'label': label,
                 'known_at': known_at}
                ORDER BY book, selection) AS closes
    FROM closing_lines SEMI JOIN due USING (event_id, market_key)
    WHERE touched IS NULL OR event_id IN (SELECT unnest(touched)) GROUP BY event_id, market_key
), forced AS (
    -- A request without a pick means those whose time had come when it was made, of a parlay the time of all its legs.
    SELECT publish_id, arg_max(request_id, (requested_at, request_id)) AS forced_by, max(requested_at) AS forced_at
    FROM (
        SELECT due.publish_id, request_id, requested_at
        FROM due JOIN grading_requests AS requests
          ON force AND (requests.publish_id = due.publish_id OR requests.publish_id IS NULL
             AND due.started_at BETWEEN asked_since(requested_at, lookback_hours) AND requested_at)
        GROUP BY due.publish_id, legs, request_id, requested_at HAVING count(*) = legs
    ) GROUP BY publish_id
)
SELECT due.* EXCLUDE (sport_was_mended), closes.closes, forced_by, forced_at,
       (SELECT max(requested_at) FROM grading_requests) AS asked_at,
       md5(concat_ws('|', result_id, start_id, status_id, plan_id, put_off_id, forced_by, CASE WHEN sport_was_mended THEN sport END,
           array_to_string(list_transform(closes.closes, lambda c: c.snapshot_id), ','))) AS inputs
FROM due
LEFT JOIN closes USING (event_id, market_key)
LEFT JOIN forced USING (publish_id);

-- query grading_work(event_ids = NULL)
-- Picks whose newest inputs no grade cites yet, of some events or of all.
SELECT inputs.*, grading.revision AS current_revision, grading.summary AS current_summary
FROM grading_inputs('gradable_picks', $event_ids::VARCHAR[]) AS inputs LEFT JOIN grading USING (publish_id)
WHERE grading.inputs IS DISTINCT FROM inputs.inputs
ORDER BY publish_id;

-- query parlay_events(event_ids = NULL)
-- The events of all parlays that have a leg in some events, or of all: one is settled from all its legs.
WITH legs AS (SELECT publish_id, event_id FROM parlay_legs JOIN predictions USING (prediction_id))
SELECT DISTINCT event_id FROM legs SEMI JOIN (
    SELECT publish_id FROM legs WHERE $event_ids::VARCHAR[] IS NULL OR event_id IN (SELECT unnest($event_ids::VARCHAR[]))
) USING (publish_id) ORDER BY event_id;

-- query parlay_work(event_ids = NULL)
-- Legs of parlays that can be settled whole, where no grade cites the newest inputs yet; all legs in some events, or of all.
WITH whole AS (
    SELECT *, md5(string_agg(inputs, '|' ORDER BY leg) OVER parlay) AS parlay_inputs
    FROM grading_inputs('gradable_legs', $event_ids::VARCHAR[])
    WINDOW parlay AS (PARTITION BY publish_id)
    QUALIFY count(*) OVER parlay = legs
)
SELECT whole.* REPLACE (parlay_inputs AS inputs), grading.revision AS current_revision, grading.summary AS current_summary
FROM whole LEFT JOIN grading USING (publish_id)
WHERE grading.inputs IS DISTINCT FROM parlay_inputs
ORDER BY publish_id, leg;

-- query grading_tally(since, publish_id = NULL)
-- How the picks and parlays on events that started since a time stand; or one of them, whenever its event started.
WITH counting AS (
    SELECT publish_id, started_at, sport IS NOT NULL AS scheduled FROM picks
    UNION ALL
    SELECT publish_id, max(started_at), bool_and(sport IS NOT NULL) FROM parlay_picks GROUP BY publish_id
), published AS (
    SELECT publish_id, is_official, invalid_because, 'prediction' AS kind FROM published_predictions
    UNION ALL
    SELECT publish_id, is_official, invalid_because, 'parlay' FROM published_parlays
)
SELECT count(*) FILTER (summary IS NOT NULL AND summary <> 'VOID') AS graded,
       count(*) FILTER (summary = 'VOID') AS voided,
       count(*) FILTER (summary IS NULL) AS pending,
       max(grade_id) FILTER (publish_id = $publish_id) AS grade_id,
       CASE WHEN $publish_id::VARCHAR IS NULL OR max(grade_id) IS NOT NULL THEN NULL
            WHEN count(*) = 0 THEN coalesce(
                (SELECT CASE WHEN invalid_because IS NOT NULL THEN 'not a valid pick: ' || invalid_because
                             WHEN NOT is_official THEN 'not published as official'
                             ELSE 'a later publish of a ' || kind || ' that is a pick already' END
                 FROM published WHERE publish_id = $publish_id), 'unknown publish_id')
            WHEN NOT bool_and(scheduled) THEN 'nobody scheduled the event, so its sport is not known: schedule it'
            ELSE 'the event has no result yet' END AS pending_because
FROM counting LEFT JOIN grading USING (publish_id)
WHERE CASE WHEN $publish_id::VARCHAR IS NULL THEN started_at >= $since::TIMESTAMPTZ ELSE publish_id = $publish_id END;

-- query unanswered_grading_requests()
-- Requests for grades that have no answer yet, oldest first.
SELECT request_id, publish_id, lookback_hours, requested_at, asked_since(requested_at, lookback_hours) AS since
FROM grading_requests
ANTI JOIN grading_answers USING (request_id) ORDER BY requested_at, request_id;

-- query grades_of(publish_id)
-- Every grade of one publish, the current one first.
SELECT * FROM gradings WHERE publish_id = $publish_id ORDER BY revision DESC, grade_id DESC;
