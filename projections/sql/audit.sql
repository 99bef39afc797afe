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
), known AS (
    SELECT result_id AS id, 'result' AS kind FROM event_result_history
    UNION ALL SELECT change_id, 'change' FROM event_changes
    UNION ALL SELECT snapshot_id, 'odds' FROM odds_records
    UNION ALL SELECT injury_snapshot_id, 'injuries' FROM injury_snapshots
    UNION ALL SELECT prediction_id, 'prediction' FROM predictions
    UNION ALL SELECT sim_run_id, 'run' FROM sim_run_starts
)
SELECT 1 AS "check", publish_id AS offender FROM grading ANTI JOIN official USING (publish_id)
UNION ALL
SELECT 2, grading.publish_id FROM grading JOIN publishes USING (publish_id)
LEFT JOIN predictions ON predictions.prediction_id = publishes.prediction_id
WHERE grading.prediction_ids <> [publishes.prediction_id] OR predictions.known_at > publishes.published_at
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
SELECT 5, snapshot_id FROM odds_records WHERE origin = 'LIVE' AND captured_at > recorded_at + INTERVAL 5 MINUTE
UNION ALL
SELECT 6, publish_id FROM grading JOIN picks USING (publish_id) JOIN events USING (event_id)
LEFT JOIN event_results USING (event_id)
WHERE summary NOT IN ('VOID', 'UNGRADEABLE')
  AND (coalesce(event_results.status, events.status) IN ('CANCELLED', 'AWARDED', 'WALKOVER')
       OR event_results.result_id IS NULL AND events.status IN ('POSTPONED', 'ABANDONED'))
UNION ALL
SELECT 7, prediction_id FROM picks GROUP BY prediction_id HAVING count(*) > 1
UNION ALL
SELECT 7, publish_id FROM publishes GROUP BY publish_id HAVING count(*) > 1
UNION ALL
SELECT 8, snapshot_id FROM odds_records WHERE captured_month <> date_trunc('month', captured_at)
UNION ALL
SELECT 8, snapshot_id FROM (
    SELECT snapshot_id FROM closing_lines UNION SELECT market_snapshot_id_used FROM predictions
    UNION SELECT close_snapshot_id FROM gradings
) SEMI JOIN odds_records USING (snapshot_id) ANTI JOIN odds_snapshots USING (snapshot_id)
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
