-- Calibration versions with the gate's verdicts, and which one was active when.
-- reads: CalibrationRequested, CalibrationTrained, CalibrationActivated, CalibrationRejected, CalibrationRolledBack
-- uses: grading
-- unique: calibration_requests(request_id), trained_versions(trained_id), calibration_verdicts(verdict_id)

-- table
CREATE TABLE calibration_requests (
    request_id VARCHAR, training_days BIGINT, method VARCHAR, requested_by VARCHAR, requested_at TIMESTAMPTZ
);
CREATE TABLE trained_versions (
    trained_id VARCHAR, request_id VARCHAR, calibration_version VARCHAR, method VARCHAR, training_days BIGINT,
    training_rows BIGINT, training_digest VARCHAR, activates BOOLEAN, trained JSON, trained_at TIMESTAMPTZ
);
CREATE TABLE calibration_verdicts (
    verdict_id VARCHAR, calibration_version VARCHAR, verdict VARCHAR, segments VARCHAR[], decided_by VARCHAR,
    reasons VARCHAR[], decided_at TIMESTAMPTZ
);

-- fold
INSERT INTO calibration_requests
SELECT record_id, training_days, method, requested_by, known_at FROM CalibrationRequested;

INSERT INTO trained_versions
SELECT ref, causation_id, calibration_version, method, training_days, training_rows, training_digest, activates, trained,
       occurred_at
FROM CalibrationTrained;

INSERT INTO calibration_verdicts
SELECT ref, calibration_version, 'ACTIVATED', segments, decided_by, reasons, occurred_at FROM CalibrationActivated
UNION ALL
SELECT ref, calibration_version, 'REJECTED', segments, decided_by, reasons, occurred_at FROM CalibrationRejected
UNION ALL
SELECT ref, calibration_version, 'ROLLED_BACK', segments, decided_by, reasons, occurred_at FROM CalibrationRolledBack;

-- view
-- The active version is the one activated last that was not rolled back since.
CREATE VIEW calibration_versions AS
WITH last_verdicts AS (
    FROM calibration_verdicts
    QUALIFY row_number() OVER (PARTITION BY calibration_version ORDER BY decided_at DESC, verdict_id DESC) = 1
), active AS (
    FROM last_verdicts WHERE verdict = 'ACTIVATED' ORDER BY decided_at DESC, verdict_id DESC LIMIT 1
)
SELECT versions.calibration_version, versions.method, training_days, training_rows, training_digest, trained_at,
       CASE WHEN active.verdict_id IS NOT NULL THEN 'ACTIVE'
            WHEN last_verdicts.verdict = 'ACTIVATED' THEN 'SUPERSEDED'
            ELSE coalesce(last_verdicts.verdict, 'PENDING') END AS activation_status,
       last_verdicts.segments AS active_segments, last_verdicts.reasons, last_verdicts.decided_by,
       (trained ->> '$.overall_before.ece')::DOUBLE AS overall_ece_before,
       (trained ->> '$.overall_after.ece')::DOUBLE AS overall_ece,
       (trained ->> '$.overall_before.brier')::DOUBLE AS overall_brier_before,
       (trained ->> '$.overall_after.brier')::DOUBLE AS overall_brier,
       trained
FROM trained_versions AS versions
LEFT JOIN last_verdicts USING (calibration_version)
LEFT JOIN active ON active.calibration_version = versions.calibration_version;

CREATE VIEW calibration_segments AS
SELECT calibration_version, segment ->> 'segment' AS segment, segment ->> 'level' AS level,
       segment ->> 'method' AS method, (segment ->> 'n')::BIGINT AS n, (segment ->> 'max_e')::DOUBLE AS max_e,
       (segment ->> 'activates')::BOOLEAN AS activates, segment -> 'reasons' AS reasons, segment -> 'before' AS before,
       segment -> 'after' AS after, segment -> 'params' AS params
FROM (SELECT calibration_version, unnest((trained -> 'segments')::JSON[]) AS segment FROM trained_versions);

-- query unanswered_calibration_requests()
-- Requests that no version answers yet, oldest first.
SELECT * FROM calibration_requests ANTI JOIN trained_versions USING (request_id) ORDER BY requested_at, request_id;

-- query calibration_rows()
-- Plain wins and losses of official picks: raw probability, when it was issued, and when its result was on record.
SELECT publish_id, league, market_key, selection, event_id, p_cover, (summary = 'WIN')::INTEGER AS y, published_at,
       decided_at
FROM graded_picks WHERE brier IS NOT NULL ORDER BY decided_at, publish_id;

-- query versions(calibration_version = NULL)
-- Every version, the newest first.
SELECT * EXCLUDE (trained) FROM calibration_versions
WHERE calibration_version = coalesce($calibration_version, calibration_version)
ORDER BY trained_at DESC, calibration_version DESC;

-- query segments_of(calibration_version)
-- The segments of a version with the gate's verdict on each.
SELECT segment, level, method, n, max_e, activates, reasons FROM calibration_segments
WHERE calibration_version = $calibration_version ORDER BY segment;

-- query active_version()
-- The version that serves, if any.
SELECT * FROM calibration_versions WHERE activation_status = 'ACTIVE';
