-- Injury reports as they came: one row per team and report, with the players inside.
-- reads: InjurySnapshotCaptured
-- unique: injury_snapshots(injury_snapshot_id)

-- table
CREATE TABLE injury_snapshots (
    injury_snapshot_id VARCHAR, event_id VARCHAR, provider VARCHAR, league VARCHAR, team VARCHAR, complete BOOLEAN,
    players STRUCT(
        player VARCHAR, status VARCHAR, "position" VARCHAR, chance_of_playing DOUBLE, expected_return VARCHAR,
        "comment" VARCHAR)[],
    captured_at TIMESTAMPTZ, raw_payload_id VARCHAR, raw_path VARCHAR, origin VARCHAR, known_at TIMESTAMPTZ
);

-- fold
INSERT INTO injury_snapshots
SELECT ref, event_id, provider, league, team, complete, players, occurred_at, raw_payload_id, raw_path, origin, known_at
FROM InjurySnapshotCaptured;

-- query injuries_as_of(team, at_time)
-- A team's newest report at a time, one row per player.
SELECT team, captured_at, unnest(players, recursive := true)
FROM (SELECT * FROM injury_snapshots WHERE team = $team AND known_at <= $at_time::TIMESTAMPTZ
      ORDER BY captured_at DESC, injury_snapshot_id DESC LIMIT 1);
