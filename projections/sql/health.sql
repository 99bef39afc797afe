-- What an owner looks at to say that something needs somebody.
-- uses: dead_letters, odds_snapshots, calibration_versions

-- query health()
-- One row: open dead letters, when live odds were seen last, and which calibration was rolled back last.
SELECT (SELECT count(*) FROM open_dead_letters WHERE kind <> 'UNKNOWN') AS dead_letters,
       (SELECT max(captured_at) FROM odds_records WHERE origin = 'LIVE') AS newest_odds_at,
       rolled_back.calibration_version AS rolled_back, rolled_back.decided_at AS rolled_back_at
FROM (SELECT 1) LEFT JOIN (
    FROM calibration_verdicts WHERE verdict = 'ROLLED_BACK' ORDER BY decided_at DESC, verdict_id DESC LIMIT 1
) AS rolled_back ON true;
