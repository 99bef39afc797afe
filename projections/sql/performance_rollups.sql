-- How the picks did: by cohort, live and backfill apart, n beside every mean, intervals beside the units.
-- uses: grading, odds_snapshots

-- view
-- A parlay is one row of market PARLAY; its legs count only where they were published alone.
CREATE VIEW graded_cohorts AS
SELECT * EXCLUDE (dimension), dimension.cohort, dimension.cohort_key
FROM (SELECT *, unnest([
    {'cohort': 'all', 'cohort_key': 'all'}, {'cohort': 'league', 'cohort_key': league},
    {'cohort': 'market', 'cohort_key': market_key}, {'cohort': 'book', 'cohort_key': coalesce(book_key(book), 'no price')},
    {'cohort': 'tier', 'cohort_key': coalesce(tier, 'none')}, {'cohort': 'channel', 'cohort_key': channel},
    {'cohort': 'model_version', 'cohort_key': coalesce(model_version, 'unknown')},
    {'cohort': 'day', 'cohort_key': day::VARCHAR}, {'cohort': 'month', 'cohort_key': strftime(month, '%Y-%m')}
]) AS dimension FROM (FROM graded_picks UNION ALL BY NAME FROM graded_parlays));

-- Of events that started in a time, each end null where it is open; voids stay out of every mean but are counted. The margin
-- is of a return on as many units as there are priced picks, those of one event taken together; a parlay stands alone.
-- There is none where all events returned the same: that says nothing of the spread.
CREATE MACRO performance_between(since, until) AS TABLE
SELECT cohort, cohort_key, origin, sum(n)::BIGINT AS picks, sum(won)::BIGINT AS wins, sum(lost)::BIGINT AS losses,
       sum(pushed)::BIGINT AS pushes, sum(voided)::BIGINT AS voids, sum(not_graded)::BIGINT AS ungradeable,
       wins / nullif(wins + losses, 0) AS win_rate,
       sum(staked)::BIGINT AS priced, sum(units) AS total_units, total_units / nullif(priced, 0) AS roi,
       count(*) FILTER (staked > 0) AS events,
       CASE WHEN min(u / staked) < max(u / staked) THEN 1.96 / priced * sqrt(events / (events - 1) * greatest(
           sum(u * u)::DOUBLE - 2 * sum(u)::DOUBLE / priced * sum(u * staked)::DOUBLE
           + (sum(u)::DOUBLE / priced) ** 2 * sum(staked * staked), 0)) END AS roi_margin_95,
       sum(with_clv)::BIGINT AS clv_n, sum(clv) / nullif(clv_n, 0) AS avg_clv,
       sum(with_verdict)::BIGINT AS beat_close_n, sum(beaten)::BIGINT / nullif(beat_close_n, 0) AS beat_close_rate,
       sum(with_ev)::BIGINT AS clv_ev_n, sum(ev) / nullif(clv_ev_n, 0) AS avg_clv_ev,
       sum(with_p)::BIGINT AS scored, sum(brier) / nullif(scored, 0) AS avg_brier,
       sum(log_loss) / nullif(scored, 0) AS avg_log_loss,
       sum(brier_calibrated) / nullif(sum(calibrated)::BIGINT, 0) AS avg_brier_calibrated,
       sum(log_loss_calibrated) / nullif(sum(calibrated)::BIGINT, 0) AS avg_log_loss_calibrated
FROM (
    SELECT cohort, cohort_key, origin, count(*) AS n, count(*) FILTER (summary = 'WIN') AS won,
           count(*) FILTER (summary = 'LOSS') AS lost, count(*) FILTER (summary = 'PUSH') AS pushed,
           count(*) FILTER (summary = 'VOID') AS voided, count(*) FILTER (summary = 'UNGRADEABLE') AS not_graded,
           count(unit_return) FILTER (summary <> 'VOID') AS staked, sum(unit_return) FILTER (summary <> 'VOID') AS units,
           units::DECIMAL(38, 3) AS u, count(clv_price) FILTER (summary <> 'VOID') AS with_clv,
           sum(clv_price::DECIMAL(18, 12)) FILTER (summary <> 'VOID') AS clv,
           count(beat_close) FILTER (summary <> 'VOID') AS with_verdict,
           count(*) FILTER (beat_close = 'yes' AND summary <> 'VOID') AS beaten,
           count(clv_ev) FILTER (summary <> 'VOID') AS with_ev,
           sum(clv_ev::DECIMAL(18, 12)) FILTER (summary <> 'VOID') AS ev,
           count(brier) AS with_p, sum(brier::DECIMAL(18, 12)) AS brier, sum(log_loss::DECIMAL(18, 12)) AS log_loss,
           count(brier_calibrated) AS calibrated, sum(brier_calibrated::DECIMAL(18, 12)) AS brier_calibrated,
           sum(log_loss_calibrated::DECIMAL(18, 12)) AS log_loss_calibrated
    FROM graded_cohorts
    WHERE started_at >= coalesce(since, '-infinity'::TIMESTAMPTZ) AND started_at <= coalesce(until, 'infinity'::TIMESTAMPTZ)
    GROUP BY cohort, cohort_key, origin, coalesce(event_id, publish_id)
) GROUP BY cohort, cohort_key, origin;

CREATE VIEW performance_rollups AS FROM performance_between(NULL::TIMESTAMPTZ, NULL::TIMESTAMPTZ);

-- query performance(cohort = 'all', origin = NULL)
-- One kind of cohort: all, league, market, book, tier, channel, model_version, day or month.
SELECT * FROM performance_rollups
WHERE cohort = $cohort::ENUM('all', 'league', 'market', 'book', 'tier', 'channel', 'model_version', 'day', 'month') AND origin = coalesce($origin, origin)
ORDER BY origin, cohort_key;

-- query performance_summary(cohort_key = NULL, start_date = NULL, end_date = NULL, origin = 'LIVE')
-- One cohort by its key alone, whichever kind it is of, over events that started in a time; a book whatever its case is,
-- where nothing is spelt just so.
SELECT * FROM performance_between($start_date::TIMESTAMPTZ, $end_date::TIMESTAMPTZ)
WHERE (cohort_key = coalesce($cohort_key, 'all') OR cohort = 'book' AND cohort_key = book_key($cohort_key::VARCHAR))
  AND origin = $origin
ORDER BY cohort_key <> coalesce($cohort_key, 'all'),
         list_position(['all', 'league', 'market', 'book', 'tier', 'channel', 'model_version', 'day', 'month'], cohort)
LIMIT 1;

-- query reliability(bins = 10, origin = NULL)
-- Served probability against what came, in bins of equal width, plain wins and losses only; with Wilson's 95% interval,
-- since of a few that all lost nobody knows that none would win. n² / Σ (picks of an event)² stands in it for n: it is as
-- wide as if picks of one event and bin came out alike, at the worst too wide.
WITH scored AS (
    SELECT origin, event_id, p_served AS p, (summary = 'WIN')::INTEGER AS y,
           greatest(ceil(p_served::DECIMAL(18, 12) * $bins::UINTEGER), 1)::INTEGER AS bin
    FROM graded_picks WHERE brier IS NOT NULL AND origin = coalesce($origin, origin)
), by_event AS (
    SELECT origin, bin, count(*) AS picks, sum(p::DECIMAL(18, 12)) AS sum_p, sum(y) AS wins
    FROM scored GROUP BY origin, bin, event_id
), binned AS (
    SELECT origin, bin, sum(picks)::BIGINT AS n, count(*) AS events, sum(sum_p) / n AS mean_p, sum(wins) / n AS win_rate,
           1.96 ** 2 * sum(picks * picks) / n ** 2 AS pull,
           sqrt(win_rate * (1 - win_rate) * pull + pull ** 2 / 4) AS reach
    FROM by_event GROUP BY origin, bin
)
SELECT origin, bin, n, events, mean_p, win_rate, greatest((win_rate + pull / 2 - reach) / (1 + pull), 0) AS win_rate_low,
       least((win_rate + pull / 2 + reach) / (1 + pull), 1) AS win_rate_high
FROM binned ORDER BY origin, bin;
