-- How events ended: one row per event as it stands, beside every result and correction.
-- reads: ResultRecorded, ResultCorrected
-- unique: event_result_history(result_id), event_results(event_id)

-- table
CREATE TABLE event_result_history (
    result_id VARCHAR, event_id VARCHAR, corrects VARCHAR, correction_reason VARCHAR, occurred_at TIMESTAMPTZ,
    known_at TIMESTAMPTZ, origin VARCHAR, status VARCHAR, winner VARCHAR, home BIGINT, away BIGINT,
    periods STRUCT("period" VARCHAR, home BIGINT, away BIGINT)[], extra_time BOOLEAN, penalties_home BIGINT,
    penalties_away BIGINT, qualified VARCHAR, minutes_played DOUBLE, innings_played DOUBLE, start_delay_hours DOUBLE,
    venue_changed BOOLEAN, player_stats STRUCT(player VARCHAR, stat VARCHAR, "value" DOUBLE, played BOOLEAN)[],
    time_assumed BOOLEAN, raw_payload_id VARCHAR, raw_path VARCHAR, recorded_at TIMESTAMPTZ
);
CREATE TABLE event_results AS FROM event_result_history LIMIT 0;

-- fold
INSERT INTO event_result_history BY NAME
SELECT ref AS result_id, * EXCLUDE (
    record_id, ref, producer, correlation_id, causation_id, topic, "partition", "offset")
FROM ResultRecorded
UNION ALL BY NAME
SELECT ref AS result_id, * EXCLUDE (
    record_id, ref, producer, correlation_id, causation_id, topic, "partition", "offset")
FROM ResultCorrected;

MERGE INTO event_results USING (
    -- A file that was mended tells another score of the same time: what was put on record later counts.
    SELECT unnest(arg_max(history, (corrects IS NOT NULL, occurred_at, recorded_at, result_id)))
    FROM event_result_history AS history
    SEMI JOIN (SELECT event_id FROM ResultRecorded UNION SELECT event_id FROM ResultCorrected) AS touched
        USING (event_id)
    GROUP BY event_id
) AS now ON event_results.event_id = now.event_id
WHEN MATCHED AND now.result_id <> event_results.result_id THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;
