-- How well the books' own no-vig probabilities foretold the results; a yardstick for every model.
-- uses: events, event_results, odds_snapshots, closing_lines

-- query no_vig_log_loss(book = 'pinnacle')
-- Multiplicative no-vig 1X2 log loss and Brier (summed over the outcomes), earlier and closing price, per league.
-- All three prices are of one capture; a game with more than one such is left out.
WITH prices AS (
    SELECT event_id, 'earlier' AS phase, capture_id, selection, price_decimal FROM odds_snapshots
    WHERE book_key(book) = book_key($book::VARCHAR) AND market_key = 'MONEYLINE_3WAY:REGULATION' AND label = 'earlier'
    UNION ALL
    -- An earlier price is the close of a game that has no later one; here it would be compared with itself.
    SELECT event_id, 'closing' AS phase, capture_id, selection, price_decimal FROM closing_lines
    ANTI JOIN (SELECT snapshot_id FROM odds_snapshots WHERE label = 'earlier') USING (snapshot_id)
    WHERE book_key(book) = book_key($book::VARCHAR) AND market_key = 'MONEYLINE_3WAY:REGULATION'
), fair AS (
    SELECT event_id, phase, selection,
           (1 / price_decimal) / sum((1 / price_decimal)::DECIMAL(18, 15)) OVER whole AS p,
           count(*) OVER whole AS sides
    FROM prices WINDOW whole AS (PARTITION BY event_id, phase, capture_id)
), ended AS (
    -- The final score counts extra time where there was any: then only the score of regulation tells.
    -- A source that tells no score may tell who won; where nobody tells either, the game is left out.
    SELECT event_id, CASE sign(coalesce(regulation.home, results.home) - coalesce(regulation.away, results.away))
                         WHEN 1 THEN 'HOME' WHEN 0 THEN 'DRAW' WHEN -1 THEN 'AWAY' ELSE upper(winner) END AS won
    FROM (SELECT *, list_filter(periods, lambda p: p.period = 'regulation')[1] AS regulation
          FROM event_results) AS results
    WHERE status = 'FINAL' AND (regulation IS NOT NULL OR NOT coalesce(extra_time, false))
), scored AS (
    SELECT league, phase, event_id, sum(((p - (selection = won)::INTEGER) ** 2)::DECIMAL(18, 15)) AS brier,
           -ln(max(p) FILTER (selection = won)) AS log_loss
    FROM fair JOIN events USING (event_id)
    JOIN ended USING (event_id)
    WHERE won IS NOT NULL AND sides = 3 GROUP BY ALL HAVING count(*) = 3
), complete AS (
    FROM scored SEMI JOIN (SELECT event_id FROM scored GROUP BY event_id HAVING count(*) = 2) USING (event_id)
)
-- Sums of decimals come out the same in whatever order they are made; sums of doubles do not.
SELECT league, count(DISTINCT event_id) AS n,
       sum(log_loss::DECIMAL(18, 12)) FILTER (phase = 'earlier') / n AS log_loss_earlier,
       sum(log_loss::DECIMAL(18, 12)) FILTER (phase = 'closing') / n AS log_loss_closing,
       sum(brier::DECIMAL(18, 12)) FILTER (phase = 'earlier') / n AS brier_earlier,
       sum(brier::DECIMAL(18, 12)) FILTER (phase = 'closing') / n AS brier_closing
FROM complete GROUP BY league ORDER BY league;
