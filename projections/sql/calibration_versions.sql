-- Calibration versions with the gate's verdicts, and which one was active when.
-- reads: CalibrationRequested, CalibrationTrained, CalibrationActivated, CalibrationRejected, CalibrationRolledBack
-- uses: grading, published_predictions, predictions, events, dead_letters
-- unique: calibration_requests(request_id), trained_versions(trained_id), calibration_verdicts(verdict_id)

-- table
CREATE TABLE calibration_requests (
    request_id VARCHAR, training_days BIGINT, method VARCHAR, requested_by VARCHAR, requested_at TIMESTAMPTZ,
    origin VARCHAR
);
CREATE TABLE trained_versions (
    trained_id VARCHAR, request_id VARCHAR, calibration_version VARCHAR, method VARCHAR, training_days BIGINT,
    training_rows BIGINT, training_digest VARCHAR, activates BOOLEAN, trained JSON, trained_at TIMESTAMPTZ
);
CREATE TABLE calibration_verdicts (
    verdict_id VARCHAR, calibration_version VARCHAR, verdict VARCHAR, segments VARCHAR[], decided_by VARCHAR,
    reasons VARCHAR[], decided_at TIMESTAMPTZ
);

-- A person who names no segments lets all of them serve.
CREATE MACRO named_or_all_segments(named, trained) AS CASE WHEN len(named) > 0 THEN named
    ELSE list_transform((trained -> 'segments')::JSON[], lambda segment: segment ->> 'segment') END;

-- fold
INSERT INTO calibration_requests
SELECT record_id, training_days, method, requested_by, known_at, origin FROM CalibrationRequested;

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
-- Every version as it stood at a time, by the verdicts of that time. The active one is the one activated last that was
-- not rolled back whole since; a verdict that rolls back some segments takes only those from it, and where none is left
-- raw probabilities are served: no older version comes back.
-- (Macros without WITH: DuckDB 1.4, which analysts may have, loses it from those that 2.0 stores.)
CREATE MACRO calibration_verdicts_by(known_by) AS TABLE
SELECT *, verdict = 'ROLLED_BACK' AND len(segments) > 0 AS is_partial FROM calibration_verdicts
WHERE decided_at <= known_by;

CREATE MACRO calibration_standing_verdicts(known_by) AS TABLE
FROM calibration_verdicts_by(known_by) WHERE NOT is_partial
QUALIFY row_number() OVER (PARTITION BY calibration_version ORDER BY decided_at DESC, verdict_id DESC) = 1;

CREATE MACRO calibration_dropped_segments(known_by) AS TABLE
SELECT standing.calibration_version, flatten(list(verdicts.segments ORDER BY verdicts.verdict_id)) AS segments
FROM calibration_standing_verdicts(known_by) AS standing
JOIN calibration_verdicts_by(known_by) AS verdicts
  ON verdicts.is_partial AND verdicts.calibration_version = standing.calibration_version
 AND (verdicts.decided_at, verdicts.verdict_id) > (standing.decided_at, standing.verdict_id)
GROUP BY standing.calibration_version;

CREATE MACRO calibration_served(known_by) AS TABLE
SELECT standing.calibration_version, verdict, decided_at, verdict_id, list_filter(
           CASE verdict WHEN 'ACTIVATED' THEN named_or_all_segments(standing.segments, trained) ELSE standing.segments END,
           lambda segment: NOT list_contains(coalesce(dropped.segments, []), segment)) AS segments,
       dropped.segments IS NOT NULL AS is_reduced
FROM calibration_standing_verdicts(known_by) AS standing
JOIN trained_versions USING (calibration_version)
LEFT JOIN calibration_dropped_segments(known_by) AS dropped USING (calibration_version);

CREATE MACRO calibration_standing(known_by) AS TABLE
SELECT versions.*, CASE WHEN served.verdict IS NULL THEN 'PENDING'
                        WHEN is_reduced AND len(served.segments) = 0 THEN 'ROLLED_BACK'
                        WHEN last_active.verdict_id = served.verdict_id THEN 'ACTIVE'
                        WHEN served.verdict = 'ACTIVATED' THEN 'SUPERSEDED'
                        ELSE served.verdict END AS activation_status,
       coalesce(served.segments, []) AS active_segments, newest.reasons, newest.decided_by,
       served.decided_at AS standing_since
FROM trained_versions AS versions
LEFT JOIN calibration_served(known_by) AS served USING (calibration_version)
LEFT JOIN (
    FROM calibration_verdicts_by(known_by)
    QUALIFY row_number() OVER (PARTITION BY calibration_version ORDER BY decided_at DESC, verdict_id DESC) = 1
) AS newest USING (calibration_version)
LEFT JOIN (
    FROM calibration_standing_verdicts(known_by) WHERE verdict = 'ACTIVATED'
    ORDER BY decided_at DESC, verdict_id DESC LIMIT 1
) AS last_active ON true;

CREATE VIEW calibration_versions AS
SELECT calibration_version, method, training_days, training_rows, training_digest, trained_at, activation_status,
       active_segments, reasons, decided_by,
       (trained ->> '$.overall_before.ece')::DOUBLE AS overall_ece_before,
       (trained ->> '$.overall_after.ece')::DOUBLE AS overall_ece,
       (trained ->> '$.overall_before.brier')::DOUBLE AS overall_brier_before,
       (trained ->> '$.overall_after.brier')::DOUBLE AS overall_brier,
       trained
FROM calibration_standing('infinity'::TIMESTAMPTZ);

CREATE VIEW calibration_segments AS
SELECT calibration_version, segment ->> 'segment' AS segment, segment ->> 'level' AS level,
       segment ->> 'method' AS method, (segment ->> 'n')::BIGINT AS n, (segment ->> 'max_e')::DOUBLE AS max_e,
       (segment ->> 'activates')::BOOLEAN AS activates, segment -> 'reasons' AS reasons, segment -> 'before' AS before,
       segment -> 'after' AS after, segment -> 'params' AS params
FROM (SELECT calibration_version, unnest((trained -> 'segments')::JSON[]) AS segment FROM trained_versions);

-- query calibration_state()
-- How many grades, verdicts and requests there are: while these stay the same, there is nothing to decide.
SELECT (SELECT count(*) FROM gradings) AS grades, (SELECT count(*) FROM calibration_verdicts) AS verdicts,
       (SELECT count(*) FROM calibration_requests) AS requests;

-- query unanswered_calibration_requests()
-- Requests that no verdict answers yet, oldest first; with the version that was trained for one, where that is all that
-- came on record. One that newer code has answered waits for that code.
SELECT requests.*, calibration_version FROM calibration_requests AS requests
LEFT JOIN trained_versions USING (request_id)
ANTI JOIN calibration_verdicts USING (calibration_version)
ANTI JOIN (
    SELECT raw ->> 'causation_id' AS request_id FROM open_dead_letters
    WHERE type IN ('CalibrationTrained', 'CalibrationActivated', 'CalibrationRejected')
) USING (request_id)
ORDER BY requested_at, request_id;

-- query calibration_rows(before = NULL)
-- Plain wins and losses of official picks as they stood before a time: raw probability, when it was issued, and when its
-- result was on record. A grade that was revised later counts as it stood then; an event with an open dead letter does not
-- count: what could not be read might have changed its grade.
WITH known AS (
    FROM gradings WHERE decided_at < coalesce($before::TIMESTAMPTZ, 'infinity')
    QUALIFY row_number() OVER (PARTITION BY publish_id ORDER BY revision DESC, grade_id DESC) = 1
)
SELECT publish_id, league, market_key, selection, picks.event_id, p_cover, (summary = 'WIN')::INTEGER AS y,
       published_at, decided_at
FROM known JOIN picks USING (publish_id)
WHERE brier IS NOT NULL AND picks.event_id NOT IN (FROM held_events) ORDER BY decided_at, publish_id;

-- query served_rows(since)
-- Plain wins and losses of what was published after a time: raw probability, and as it was calibrated; none of an event
-- with an open dead letter.
SELECT grading.publish_id, league, market_key, selection, publishes.event_id, p_cover, p_cover_calibrated,
       (summary = 'WIN')::INTEGER AS y, published_at, decided_at
FROM grading JOIN publishes USING (publish_id) JOIN predictions USING (prediction_id)
JOIN events ON events.event_id = publishes.event_id
WHERE brier IS NOT NULL AND published_at > $since::TIMESTAMPTZ AND publishes.event_id NOT IN (FROM held_events)
ORDER BY decided_at, publish_id;

-- query calibration_decisions(before = NULL)
-- The verdicts before a time that began or ended anything, oldest first; an activation names all that it lets serve.
SELECT calibration_version, verdict, decided_at,
       CASE verdict WHEN 'ACTIVATED' THEN named_or_all_segments(segments, trained) ELSE segments END AS segments
FROM calibration_verdicts JOIN trained_versions USING (calibration_version)
WHERE verdict <> 'REJECTED' AND decided_at < coalesce($before::TIMESTAMPTZ, 'infinity')
ORDER BY decided_at, verdict_id;

-- query version_names()
-- The names that versions have, whatever became of them.
SELECT calibration_version FROM trained_versions ORDER BY calibration_version;

-- query versions(calibration_version = NULL)
-- Every version, the newest first.
SELECT * EXCLUDE (trained) FROM calibration_versions
WHERE calibration_version = coalesce($calibration_version, calibration_version)
ORDER BY trained_at DESC, calibration_version DESC;

-- query segments_of(calibration_version)
-- The segments of a version with the gate's verdict on each.
SELECT segment, level, method, n, max_e, activates, reasons FROM calibration_segments
WHERE calibration_version = $calibration_version ORDER BY segment;

-- query active_version(known_by = NULL)
-- The version that serves, or that served at a time, if any.
SELECT * FROM calibration_standing(coalesce($known_by::TIMESTAMPTZ, 'infinity')) WHERE activation_status = 'ACTIVE';
