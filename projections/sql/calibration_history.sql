-- Calibration over time: which version served when, what it did to the picks, and whether it still does any good.
-- uses: calibration_versions, published_predictions, predictions, grading

-- view
-- One row per segment and unbroken time of service. A verdict that rolls back some segments ends those only; a version
-- serves again once a later one is rolled back whole.
CREATE VIEW calibration_activity AS
WITH verdicts AS (
    SELECT *, row_number() OVER (ORDER BY decided_at, verdict_id) AS moment,
           verdict = 'ROLLED_BACK' AND len(segments) > 0 AS is_partial
    FROM calibration_verdicts
), standing AS (
    SELECT *, lead(moment) OVER (PARTITION BY calibration_version ORDER BY moment) AS until
    FROM verdicts WHERE NOT is_partial
), serving AS (
    SELECT verdicts.moment, max(standing.moment) AS activation FROM verdicts LEFT JOIN standing
      ON standing.verdict = 'ACTIVATED' AND standing.moment <= verdicts.moment
     AND verdicts.moment < coalesce(standing.until, 9223372036854775807)
    GROUP BY verdicts.moment
), changes AS (
    FROM serving QUALIFY activation IS DISTINCT FROM lag(activation) OVER (ORDER BY moment)
), spans AS (
    SELECT activation, moment AS begun, lead(moment) OVER (ORDER BY moment) AS ended FROM changes
), versions AS (
    FROM trained_versions
    QUALIFY row_number() OVER (PARTITION BY calibration_version ORDER BY trained_at DESC, trained_id DESC) = 1
), served AS (
    SELECT spans.*, versions.method, verdicts.calibration_version, decided_by, reasons,
           unnest(named_or_all_segments(segments, versions.trained)) AS segment
    FROM spans JOIN verdicts ON verdicts.moment = activation LEFT JOIN versions USING (calibration_version)
), dropped AS (
    SELECT served.segment, served.activation, min(verdicts.moment) AS moment FROM served JOIN verdicts
      ON is_partial AND verdicts.calibration_version = served.calibration_version
     AND verdicts.moment > served.activation AND list_contains(verdicts.segments, served.segment)
    GROUP BY ALL
)
SELECT split_part(segment, '|', 1) AS league, substr(segment, strpos(segment, '|') + 1) AS market_key,
       served.calibration_version, method, started.decided_at AS active_from, ending.decided_at AS active_to,
       served.decided_by AS activated_by,
       CASE WHEN len(list_filter(served.reasons, lambda reason: starts_with(reason, segment || ': '))) > 0
            THEN list_filter(served.reasons, lambda reason: starts_with(reason, segment || ': '))
            ELSE served.reasons END AS activated_because,
       CASE WHEN ending.verdict = 'ACTIVATED' THEN 'SUPERSEDED' ELSE ending.verdict END AS ended_as,
       ending.decided_by AS ended_by, ending.reasons AS ended_because
FROM served
LEFT JOIN dropped USING (segment, activation)
JOIN verdicts AS started ON started.moment = begun
LEFT JOIN verdicts AS ending ON ending.moment = least(ended, dropped.moment)
WHERE dropped.moment IS NULL OR dropped.moment > begun;

-- Official picks that have no result yet or a plain one, once for each level: league x market, market, all (as '*').
CREATE VIEW calibration_picks AS
SELECT publish_id, event_id, origin, month, calibration_version, p_raw, p_calibrated, p_served, y, brier, log_loss,
       brier_calibrated, log_loss_calibrated, scope.league, scope.market_key
FROM (
    SELECT publish_id, picks.event_id, picks.origin,
           date_trunc('month', make_timestamp(epoch_us(picks.started_at)))::DATE AS month,
           predictions.calibration_version_applied AS calibration_version, picks.p_cover::DECIMAL(18, 12) AS p_raw,
           picks.p_cover_calibrated::DECIMAL(18, 12) AS p_calibrated, picks.p_served::DECIMAL(18, 12) AS p_served,
           CASE WHEN brier IS NOT NULL THEN (summary = 'WIN')::INTEGER END AS y,
           brier::DECIMAL(18, 12) AS brier, log_loss::DECIMAL(18, 12) AS log_loss,
           brier_calibrated::DECIMAL(18, 12) AS brier_calibrated,
           log_loss_calibrated::DECIMAL(18, 12) AS log_loss_calibrated,
           unnest([{'league': picks.league, 'market_key': picks.market_key},
                   {'league': '*', 'market_key': picks.market_key}, {'league': '*', 'market_key': '*'}]) AS scope
    FROM picks JOIN predictions USING (prediction_id) LEFT JOIN grading USING (publish_id)
    WHERE grade_id IS NULL OR brier IS NOT NULL
);

-- ECE (10 bins of equal width, right-closed) and Brier by month, raw and calibrated apart; raw also of the picks that
-- were calibrated, which alone may be compared with those.
CREATE VIEW calibration_by_month AS
WITH kinds AS (
    SELECT league, market_key, origin, month, y, unnest([
        {'kind': 'raw', 'p': p_raw, 'brier': brier, 'log_loss': log_loss},
        {'kind': 'calibrated', 'p': p_calibrated, 'brier': brier_calibrated, 'log_loss': log_loss_calibrated},
        {'kind': 'raw_there', 'p': CASE WHEN p_calibrated IS NOT NULL THEN p_raw END, 'brier': brier,
         'log_loss': log_loss}], recursive := true)
    FROM calibration_picks WHERE y IS NOT NULL
), bins AS (
    SELECT league, market_key, origin, month, kind, greatest(ceil(p * 10), 1) AS bin, count(*) AS n,
           abs(sum(y - p)) AS gap, sum(brier) AS brier, sum(log_loss) AS log_loss
    FROM kinds WHERE p IS NOT NULL GROUP BY ALL
), sums AS (
    SELECT league, market_key, origin, month, kind, sum(n)::BIGINT AS n, sum(gap) / sum(n) AS ece,
           sum(brier) / sum(n) AS brier, sum(log_loss) / sum(n) AS log_loss
    FROM bins GROUP BY ALL
)
SELECT league, market_key, origin, month, any_value(n) FILTER (kind = 'raw') AS n,
       any_value(ece) FILTER (kind = 'raw') AS ece_raw, any_value(brier) FILTER (kind = 'raw') AS brier_raw,
       any_value(log_loss) FILTER (kind = 'raw') AS log_loss_raw,
       coalesce(any_value(n) FILTER (kind = 'calibrated'), 0) AS n_calibrated,
       any_value(ece) FILTER (kind = 'calibrated') AS ece_calibrated,
       any_value(brier) FILTER (kind = 'calibrated') AS brier_calibrated,
       any_value(log_loss) FILTER (kind = 'calibrated') AS log_loss_calibrated,
       any_value(ece) FILTER (kind = 'raw_there') AS ece_raw_there,
       any_value(brier) FILTER (kind = 'raw_there') AS brier_raw_there,
       any_value(log_loss) FILTER (kind = 'raw_there') AS log_loss_raw_there
FROM sums GROUP BY ALL;

-- The score that the served probabilities expect of themselves, without any result (confidence-based performance
-- estimation: a p has the expected Brier p(1-p)), beside the score that came. z of the gap is Spiegelhalter's.
CREATE VIEW calibration_drift AS
WITH terms AS (
    SELECT league, market_key, origin, month, event_id, y IS NOT NULL AS is_settled,
           (p_served * (1 - p_served))::DECIMAL(18, 12) AS expected_brier,
           CASE WHEN p_served IN (0, 1) THEN 0 ELSE -(p_served * ln(p_served) + (1 - p_served) * ln(1 - p_served))
           END::DECIMAL(18, 12) AS expected_log_loss,
           coalesce(brier_calibrated, brier) AS brier, coalesce(log_loss_calibrated, log_loss) AS log_loss,
           ((1 - 2 * p_served::DOUBLE) ** 2 * p_served * (1 - p_served))::DECIMAL(18, 12) AS brier_variance
    FROM calibration_picks
)
SELECT league, market_key, origin, month, count(*) AS n_expected, sum(expected_brier) / count(*) AS expected_brier,
       sum(expected_log_loss) / count(*) AS expected_log_loss, count(*) FILTER (is_settled) AS n,
       count(DISTINCT event_id) FILTER (is_settled) AS events,
       sum(expected_brier) FILTER (is_settled) / nullif(n, 0) AS expected_brier_of_settled,
       sum(brier) FILTER (is_settled) / nullif(n, 0) AS realised_brier,
       sum(expected_log_loss) FILTER (is_settled) / nullif(n, 0) AS expected_log_loss_of_settled,
       sum(log_loss) FILTER (is_settled) / nullif(n, 0) AS realised_log_loss,
       (sum(brier - expected_brier) FILTER (is_settled))::DOUBLE
           / nullif(sqrt((sum(brier_variance) FILTER (is_settled))::DOUBLE), 0) AS z
FROM terms GROUP BY ALL;

-- What a version gained on the settled picks that it was applied to: raw minus calibrated, so that harm is negative.
-- Standard errors take the picks of one event together; of a single event there is none.
CREATE VIEW calibration_effects AS
WITH by_event AS (
    SELECT calibration_version, origin, league, market_key, event_id, count(*) AS n,
           sum(brier - brier_calibrated)::DECIMAL(18, 12) AS brier_gain,
           sum(log_loss - log_loss_calibrated)::DECIMAL(18, 12) AS log_loss_gain
    FROM calibration_picks WHERE y IS NOT NULL AND brier_calibrated IS NOT NULL AND calibration_version IS NOT NULL
    GROUP BY ALL
), sums AS (
    SELECT calibration_version, origin, league, market_key, sum(n)::BIGINT AS n, count(*) AS events,
           sum(n * n)::DOUBLE AS nn, sum(brier_gain)::DOUBLE AS b, sum(brier_gain * n)::DOUBLE AS bn,
           sum(brier_gain * brier_gain)::DOUBLE AS bb, sum(log_loss_gain)::DOUBLE AS l,
           sum(log_loss_gain * n)::DOUBLE AS ln, sum(log_loss_gain * log_loss_gain)::DOUBLE AS ll
    FROM by_event GROUP BY ALL
)
SELECT calibration_version, origin, league, market_key, n, events, b / n AS brier_gain,
       sqrt(spread * greatest(bb - 2 * b / n * bn + (b / n) ** 2 * nn, 0)) / n AS brier_error, l / n AS log_loss_gain,
       sqrt(spread * greatest(ll - 2 * l / n * ln + (l / n) ** 2 * nn, 0)) / n AS log_loss_error
FROM (SELECT *, CASE WHEN events > 1 THEN events / (events - 1) END AS spread FROM sums);

-- query active_when(league = NULL, market_key = NULL)
-- Which calibration version served which segment, from when to when, who decided it and why.
SELECT * FROM calibration_activity
WHERE league = coalesce($league, league) AND market_key = coalesce($market_key, market_key)
ORDER BY active_from DESC, league, market_key, calibration_version;

-- query calibration_over_time(league = '*', market_key = '*', origin = NULL)
-- ECE and Brier by month, raw and calibrated apart, with n; * is all leagues or all markets.
SELECT * FROM calibration_by_month
WHERE league = $league AND market_key = $market_key AND origin = coalesce($origin, origin)
ORDER BY origin, month;

-- query drift_over_time(league = '*', market_key = '*', origin = NULL)
-- The expected score without results against the realised one, by month, with n; a z above 3 is drift.
SELECT * FROM calibration_drift
WHERE league = $league AND market_key = $market_key AND origin = coalesce($origin, origin)
ORDER BY origin, month;

-- query judged_by(calibration_version, segment)
-- A segment's metrics on the out-of-time picks that a version was judged by, raw and calibrated.
SELECT before, after FROM calibration_segments WHERE calibration_version = $calibration_version AND segment = $segment;

-- query calibration_warnings(old_after_days = 60, least_picks = 100, least_events = 30)
-- Whether the active version is old, does harm, or has drifted away from what it promises. Harm is told from so many events
-- on, too: of fewer, their spread is not known well enough.
WITH active AS (
    SELECT calibration_version, trained_at FROM calibration_versions WHERE activation_status = 'ACTIVE'
), newest AS (
    SELECT max(decided_at) AS graded_at FROM grading WHERE brier IS NOT NULL
), recent AS (
    FROM calibration_drift WHERE n >= $least_picks::BIGINT
    QUALIFY row_number() OVER (PARTITION BY league, market_key, origin ORDER BY month DESC) = 1
)
SELECT 'OLD' AS warning, calibration_version, NULL AS origin, '*' AS league, '*' AS market_key, NULL::BIGINT AS n,
       NULL::BIGINT AS events,
       printf('trained %d days before the newest result',
              date_diff('day', make_timestamp(epoch_us(trained_at)), make_timestamp(epoch_us(graded_at)))) AS says
FROM active, newest WHERE graded_at > trained_at + to_hours(24 * $old_after_days::INTEGER)
UNION ALL
SELECT 'HARM', calibration_version, origin, league, market_key, n, events,
       printf('loses %.4f of Brier and %.4f of log loss to raw on %d picks', -brier_gain, -log_loss_gain, n)
FROM calibration_effects SEMI JOIN active USING (calibration_version)
WHERE n >= $least_picks::BIGINT AND events >= $least_events::BIGINT
  AND (brier_gain < -3 * brier_error OR log_loss_gain < -3 * log_loss_error)
UNION ALL
SELECT 'DRIFT', calibration_version, origin, league, market_key, n, events,
       printf('Brier %.4f where %.4f was expected, on %d picks of %s', realised_brier, expected_brier_of_settled, n,
              strftime(month, '%Y-%m'))
FROM active, recent WHERE z > 3
ORDER BY list_position(['HARM', 'DRIFT', 'OLD'], warning), origin, league, market_key;
