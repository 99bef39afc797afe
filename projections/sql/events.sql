-- The sporting events: one row per event as it stands, beside every change to it.
-- reads: EventScheduled, EventRescheduled, EventStatusChanged, EventStarted
-- unique: event_changes(change_id), events(event_id)

-- table
CREATE TABLE event_changes (
    event_id VARCHAR, change_id VARCHAR, kind VARCHAR, occurred_at TIMESTAMPTZ, known_at TIMESTAMPTZ, origin VARCHAR,
    league VARCHAR, sport VARCHAR, home VARCHAR, away VARCHAR, season VARCHAR, game_number BIGINT,
    starts_at TIMESTAMPTZ, start_assumed BOOLEAN, status VARCHAR, reason VARCHAR, recorded_at TIMESTAMPTZ
);
CREATE TABLE events (
    event_id VARCHAR, league VARCHAR, sport VARCHAR, home VARCHAR, away VARCHAR, season VARCHAR, game_number BIGINT,
    starts_at TIMESTAMPTZ, start_assumed BOOLEAN, started_at TIMESTAMPTZ, start_id VARCHAR, status VARCHAR,
    status_id VARCHAR, status_reason VARCHAR, origin VARCHAR
);

-- fold
INSERT INTO event_changes BY NAME
SELECT event_id, ref AS change_id, 'SCHEDULED' AS kind, occurred_at, known_at, recorded_at, origin, league, sport, home, away, season,
       game_number, starts_at, start_assumed
FROM EventScheduled
UNION ALL BY NAME
SELECT event_id, ref AS change_id, 'RESCHEDULED' AS kind, occurred_at, known_at, recorded_at, origin, starts_at, start_assumed, reason
FROM EventRescheduled
UNION ALL BY NAME
SELECT event_id, ref AS change_id, 'STATUS' AS kind, occurred_at, known_at, recorded_at, origin, status, reason
FROM EventStatusChanged
UNION ALL BY NAME
SELECT event_id, ref AS change_id, 'STARTED' AS kind, occurred_at, known_at, recorded_at, origin, started_at AS starts_at,
       assumed AS start_assumed
FROM EventStarted;

MERGE INTO events USING (
    WITH touched AS (
        SELECT event_id FROM EventScheduled UNION SELECT event_id FROM EventRescheduled
        UNION SELECT event_id FROM EventStatusChanged UNION SELECT event_id FROM EventStarted
    ), told AS (
        SELECT event_id,
               arg_max(change, newest) FILTER (kind = 'SCHEDULED') AS base,
               arg_max(change, newest) FILTER (kind = 'RESCHEDULED') AS put_back,
               arg_max(change, newest) FILTER (kind IN ('SCHEDULED', 'RESCHEDULED')) AS plan,
               arg_max(change, newest) FILTER (kind = 'STARTED') AS begun,
               arg_max(change, newest) FILTER (kind = 'STATUS') AS state,
               max((change.occurred_at, change.change_id)) FILTER (kind IN ('RESCHEDULED', 'STARTED')) AS on_again
        FROM (
            -- A stated start beats an assumed one, whichever source told it last. Importers date the calendar so many days
            -- before the start: told earlier than that, it is not newer than what is told then.
            SELECT event_id, kind, change,
                   (NOT coalesce(start_assumed, false),
                    CASE origin WHEN 'BACKFILL' THEN least(occurred_at, recorded_at) ELSE occurred_at END, change_id) AS newest
            FROM event_changes AS change SEMI JOIN touched USING (event_id)
        ) GROUP BY event_id
    ), standing AS (
        SELECT event_id, base, plan,
               -- A new start, or the start itself, ends what was put off or called off; what was played or awarded stays so.
               CASE WHEN state.status IN ('POSTPONED', 'CANCELLED') AND on_again > (state.occurred_at, state.change_id) THEN NULL
                    ELSE state END AS state,
               -- A game that was put back after it began has not started yet; an assumed start says less than a stated plan.
               CASE WHEN begun.occurred_at >= coalesce(put_back.occurred_at, '-infinity')
                     AND NOT (coalesce(begun.start_assumed, false) AND NOT coalesce(plan.start_assumed, true))
                    THEN begun END AS start
        FROM told
    )
    SELECT event_id, base.league, base.sport, base.home, base.away, base.season, base.game_number, plan.starts_at,
           coalesce(start.start_assumed, plan.start_assumed) AS start_assumed, start.starts_at AS started_at,
           coalesce(start.change_id, plan.change_id) AS start_id, coalesce(state.status, 'SCHEDULED') AS status,
           state.change_id AS status_id, state.reason AS status_reason, base.origin
    FROM standing
) AS now ON events.event_id = now.event_id
WHEN MATCHED THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;
