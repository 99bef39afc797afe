-- How far the picks beat the close, in steps of one per cent, coverage beside it; picks in play have no close to beat.
-- uses: grading

-- view
-- Rounded first: a hundred times 0.29 is less than 29 to a double.
CREATE VIEW clv_distribution AS
SELECT origin, league, market_key, floor(round(clv_price * 100, 9)) / 100 AS clv_from, count(*) AS picks
FROM graded_picks WHERE clv_price IS NOT NULL AND summary <> 'VOID' GROUP BY ALL;

CREATE VIEW clv_coverage AS
SELECT origin, league, market_key, count(*) AS picks, count(clv_price) AS with_clv, count(clv_ev) AS with_clv_ev,
       mode(close_reason ORDER BY close_reason) AS most_common_reason
FROM graded_picks WHERE summary <> 'VOID' AND NOT in_play GROUP BY ALL;

-- query clv_histogram(origin = NULL)
-- Picks by closing line value, all markets together.
SELECT origin, clv_from, sum(picks)::BIGINT AS picks FROM clv_distribution
WHERE origin = coalesce($origin, origin) GROUP BY ALL ORDER BY origin, clv_from;
