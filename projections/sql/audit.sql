-- What must always hold: nine checks, each with its offenders; the tenth, a rebuild, is `onrecord rebuild --verify`.
-- uses: raw_payloads, events, event_results, odds_snapshots, closing_lines, injury_snapshots, sim_runs, sim_run_inputs, predictions, published_predictions, grading, parlays

-- view
CREATE VIEW audit_offenders AS
WITH snapshots AS (
    SELECT snapshot_id, raw_payload_id FROM odds_records
    UNION ALL SELECT injury_snapshot_id, raw_payload_id FROM injury_snapshots
), official AS (
    SELECT publish_id FROM picks UNION ALL SELECT publish_id FROM parlay_picks
), cited AS (
    SELECT grade_id AS citing, unnest(result_ids) AS id, 'result' AS kind FROM gradings
    UNION ALL SELECT grade_id, unnest(start_ids), 'change' FROM gradings
    UNION ALL SELECT grade_id, close_snapshot_id, 'odds' FROM gradings WHERE close_snapshot_id IS NOT NULL
    UNION ALL SELECT grade_id, unnest(prediction_ids), 'prediction' FROM gradings
    UNION ALL SELECT prediction_id, sim_run_id, 'run' FROM predictions
    UNION ALL SELECT prediction_id, market_snapshot_id_used, 'odds' FROM predictions
              WHERE market_snapshot_id_used IS NOT NULL
    UNION ALL SELECT inputs_id, snapshot_id, 'odds' FROM sim_run_inputs WHERE snapshot_id IS NOT NULL
    UNION ALL SELECT inputs_id, unnest(further_snapshot_ids), 'odds' FROM sim_run_inputs
    UNION ALL SELECT inputs_id, unnest([injury_snapshot_id_home, injury_snapshot_id_away]), 'injuries' FROM sim_run_inputs
    UNION ALL SELECT inputs_id, sim_run_id, 'run' FROM sim_run_inputs
    UNION ALL SELECT result_id, corrects, 'result' FROM event_result_history WHERE corrects IS NOT NULL
    UNION ALL SELECT result_id, raw_payload_id, 'payload' FROM event_result_history WHERE raw_payload_id IS NOT NULL
), called_off AS (
    SELECT event_id FROM events LEFT JOIN event_results USING (event_id)
    WHERE coalesce(event_results.status, events.status) IN ('CANCELLED', 'AWARDED', 'WALKOVER')
       OR event_results.result_id IS NULL AND events.status IN ('POSTPONED', 'ABANDONED')
), citations AS (
    SELECT market_snapshot_id_used AS snapshot_id, recorded_at AS cited_at FROM predictions
    UNION ALL SELECT snapshot_id, recorded_at FROM sim_run_inputs
    UNION ALL SELECT unnest(further_snapshot_ids), recorded_at FROM sim_run_inputs
    UNION ALL SELECT close_snapshot_id, recorded_at FROM gradings
), removed AS (
    -- By its first retention: any later one finds it gone.
    SELECT snapshot_id, event_id, min(decided_at) AS decided_at,
           arg_min(keep_closing_lines, (decided_at, retention_id)) AS keep_closing_lines
    FROM odds_removals GROUP BY snapshot_id, event_id
), told AS (
    SELECT snapshot_id AS id, captured_at AS happened_at, recorded_at AS told_at, origin FROM odds_records
    UNION ALL SELECT injury_snapshot_id, captured_at, known_at, origin FROM injury_snapshots
    UNION ALL SELECT prediction_id, predicted_at, known_at, origin FROM predictions
    UNION ALL SELECT publish_id, occurred_at, published_at, origin FROM publishes
    UNION ALL SELECT publish_id, occurred_at, published_at, origin FROM parlays
    UNION ALL SELECT change_id, occurred_at, known_at, origin FROM event_changes
    UNION ALL SELECT result_id, occurred_at, known_at, origin FROM event_result_history
), known AS (
    SELECT result_id AS id, 'result' AS kind FROM event_result_history
    UNION ALL SELECT change_id, 'change' FROM event_changes
    UNION ALL SELECT snapshot_id, 'odds' FROM odds_records
    UNION ALL SELECT injury_snapshot_id, 'injuries' FROM injury_snapshots
    UNION ALL SELECT prediction_id, 'prediction' FROM predictions
    UNION ALL SELECT sim_run_id, 'run' FROM sim_run_starts
    UNION ALL SELECT raw_payload_id, 'payload' FROM raw_payloads
)
-- Each grade is judged by what was known when it was decided: what is told later leaves it in no total. A live one is dated
-- by what it hears of; of history, which has times of its own, what came onto the log behind the grade was not known.
SELECT 1 AS "check", publish_id AS offender FROM grading ANTI JOIN official USING (publish_id)
ANTI JOIN (
    SELECT publish_id, told.recorded_at, judged_legs.origin FROM judged_legs JOIN predictions USING (prediction_id)
    JOIN (
        SELECT event_id, recorded_at, CASE kind WHEN 'STATUS' THEN 'EVENT_OVER' ELSE 'AFTER_START' END AS invalid_because
        FROM event_changes
        UNION ALL SELECT event_id, recorded_at, 'RESULT_KNOWN' FROM event_result_history
        UNION ALL SELECT event_id, recorded_at, 'NO_PICK' FROM publishes
        UNION ALL SELECT predictions.event_id, parlays.recorded_at, 'NO_PICK'
        FROM parlays JOIN parlay_legs USING (publish_id) JOIN predictions USING (prediction_id)
    ) AS told ON told.event_id = predictions.event_id
             -- By any of it another publish can be the first that is valid: then this one is none, though valid.
             AND told.invalid_because = coalesce(judged_legs.invalid_because, told.invalid_because)
) AS late ON late.publish_id = grading.publish_id
       AND late.recorded_at > CASE late.origin WHEN 'LIVE' THEN decided_at ELSE grading.recorded_at END
UNION ALL
SELECT 2, grading.publish_id FROM grading JOIN publishes USING (publish_id)
LEFT JOIN predictions ON predictions.prediction_id = publishes.prediction_id
WHERE grading.prediction_ids <> [publishes.prediction_id] OR predictions.known_at > publishes.published_at
UNION ALL
SELECT 2, grading.publish_id FROM grading JOIN parlays USING (publish_id) JOIN parlay_legs USING (publish_id)
LEFT JOIN predictions USING (prediction_id)
GROUP BY grading.publish_id
HAVING any_value(grading.prediction_ids) <> list(prediction_id ORDER BY leg)
    OR bool_or(predictions.known_at > parlays.published_at)
UNION ALL
SELECT 3, snapshot_id FROM snapshots ANTI JOIN raw_payloads USING (raw_payload_id)
UNION ALL
SELECT 4, prediction_id FROM predictions SEMI JOIN (SELECT prediction_id FROM publishes WHERE is_official AND price IS NOT NULL)
    USING (prediction_id) WHERE market_snapshot_id_used IS NULL
UNION ALL
SELECT 4, grade_id FROM grading WHERE close_snapshot_id IS NULL AND close_reason IS NULL
UNION ALL
SELECT 5, snapshot_id FROM closing_lines JOIN events USING (event_id)
WHERE captured_at > coalesce(events.started_at, events.starts_at)
UNION ALL
SELECT 5, id FROM told WHERE origin = 'LIVE' AND happened_at > told_at + INTERVAL 5 MINUTE
UNION ALL
SELECT 6, publish_id FROM grading JOIN picks USING (publish_id) SEMI JOIN called_off USING (event_id)
WHERE summary NOT IN ('VOID', 'UNGRADEABLE')
UNION ALL
-- A leg that is called off drops out: what is left pays no more than its own prices, to their rounding, or nothing.
SELECT 6, publish_id FROM grading JOIN parlay_picks USING (publish_id) LEFT JOIN called_off USING (event_id)
WHERE summary NOT IN ('VOID', 'UNGRADEABLE')
GROUP BY publish_id
HAVING bool_and(called_off.event_id IS NOT NULL)
    OR any_value(unit_return) + 1
       > product(CASE WHEN called_off.event_id IS NULL THEN parlay_picks.price_decimal * 1.01 ELSE 1 END)
UNION ALL
SELECT 7, prediction_id FROM picks GROUP BY prediction_id HAVING count(*) > 1
UNION ALL
SELECT 7, publish_id FROM publishes GROUP BY publish_id HAVING count(*) > 1
UNION ALL
SELECT 8, snapshot_id FROM odds_records WHERE captured_month <> date_trunc('month', make_timestamp(epoch_us(captured_at)))
UNION ALL
SELECT DISTINCT 8, snapshot_id FROM (
    -- Each retention is judged by what was on record when it was asked for: who cites later what is gone finds it in
    -- odds_records.
    SELECT snapshot_id FROM removed JOIN citations USING (snapshot_id) WHERE cited_at <= decided_at
    UNION ALL
    -- It is dated by the clock, so that a start which was imported since is new to it, whatever time that has.
    SELECT snapshot_id FROM removed SEMI JOIN closing_lines USING (snapshot_id) WHERE keep_closing_lines
    AND NOT EXISTS (FROM event_changes AS change WHERE kind <> 'STATUS' AND change.event_id = removed.event_id
                    AND change.recorded_at > removed.decided_at)
)
UNION ALL
SELECT 9, citing FROM cited ANTI JOIN known USING (id, kind) WHERE id IS NOT NULL;

-- query audit()
-- The nine checks with their counts of offenders.
SELECT number AS "check", says, count(offender) AS offenders, min(offender) AS example
FROM (VALUES
    (1, 'no grade without an official pick'),
    (2, 'no track record from reruns: a grade cites its own pick''s prediction, made before its publish'),
    (3, 'every snapshot has its raw payload'),
    (4, 'every priced pick names its market snapshot, every grade its close or why there is none'),
    (5, 'no close from after the start, no live record from the future'),
    (6, 'postponed, cancelled, abandoned and awarded events end void'),
    (7, 'one pick per prediction, one publish per id'),
    (8, 'odds lie in their month, and retention removed no close and nothing cited'),
    (9, 'lineage is whole: no id dangles')
) AS checks(number, says)
LEFT JOIN audit_offenders ON audit_offenders."check" = number
GROUP BY number, says ORDER BY number;
