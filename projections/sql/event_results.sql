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

-- Which of the results told of one event counts, told or corrected in whatever order. `onrecord/calendar.py` has the same
-- rule: what a correction names counts last; then what is no later than the newest standing correction to POSTPONED, by
-- which there is no result after all; then results before corrections; then who won at a time that is assumed, before what
-- tells more. A file that was mended tells another score of the same time: what was put on record later counts.
CREATE MACRO standing_result(told) AS CASE WHEN len(told) = 1 THEN told[1]
ELSE list_max(list_transform(told, lambda one: {
    'rank': (
        NOT list_contains(list_transform(told, lambda other: other.corrects), one.result_id),
        one.occurred_at > coalesce(list_max(list_transform(told, lambda other:
            CASE WHEN other.corrects IS NOT NULL AND other.status = 'POSTPONED'
                  AND NOT list_contains(list_transform(told, lambda third: third.corrects), other.result_id)
                 THEN other.occurred_at END)), '-infinity'),
        one.corrects IS NOT NULL AND one.status = 'POSTPONED',
        one.corrects IS NOT NULL,
        NOT (one.time_assumed AND one.status = 'FINAL' AND one.home IS NULL),
        one.occurred_at, one.recorded_at, one.result_id
    ),
    'result': one
})).result END;

-- fold
INSERT INTO event_result_history BY NAME
SELECT ref AS result_id, * EXCLUDE (
    record_id, ref, producer, correlation_id, causation_id, topic, "partition", "offset")
FROM (FROM ResultRecorded UNION ALL BY NAME FROM ResultCorrected);

MERGE INTO event_results USING (
    WITH told AS MATERIALIZED (
        FROM event_result_history
        SEMI JOIN (SELECT event_id FROM ResultRecorded UNION SELECT event_id FROM ResultCorrected) USING (event_id)
    )
    FROM told SEMI JOIN (
        SELECT standing_result(list({
            'result_id': result_id, 'corrects': corrects, 'status': status, 'home': home, 'time_assumed': time_assumed,
            'occurred_at': occurred_at, 'recorded_at': recorded_at})).result_id AS result_id
        FROM told GROUP BY event_id
    ) AS standing USING (result_id)
) AS now ON event_results.event_id = now.event_id
WHEN MATCHED AND now.result_id <> event_results.result_id THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;
