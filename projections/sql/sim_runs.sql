-- Simulation runs, with how each ended.
-- reads: SimRunStarted, SimRunCompleted, SimRunFailed
-- unique: sim_run_starts(sim_run_id), sim_run_ends(end_id)

-- table
CREATE TABLE sim_run_starts (
    sim_run_id VARCHAR, event_id VARCHAR, "trigger" VARCHAR, sim_count BIGINT, model_version VARCHAR,
    feature_set_version VARCHAR, decision_policy_version VARCHAR, calibration_version_applied VARCHAR,
    seed_policy VARCHAR, seed BIGINT, started_at TIMESTAMPTZ, origin VARCHAR
);
CREATE TABLE sim_run_ends (
    sim_run_id VARCHAR, end_id VARCHAR, state VARCHAR, runtime_ms BIGINT, error VARCHAR, ended_at TIMESTAMPTZ
);

-- fold
INSERT INTO sim_run_starts
SELECT ref, event_id, "trigger", sim_count, model_version, feature_set_version, decision_policy_version,
       calibration_version_applied, seed_policy, seed, occurred_at, origin
FROM SimRunStarted;

INSERT INTO sim_run_ends
SELECT sim_run_id, ref, 'COMPLETED', runtime_ms, NULL, occurred_at FROM SimRunCompleted
UNION ALL
SELECT sim_run_id, ref, 'FAILED', runtime_ms, error, occurred_at FROM SimRunFailed;

-- view
CREATE VIEW sim_runs AS
SELECT starts.*, coalesce(ends.state, 'RUNNING') AS state, ends.runtime_ms, ends.error, ends.ended_at
FROM sim_run_starts AS starts
LEFT JOIN (
    FROM sim_run_ends QUALIFY row_number() OVER (PARTITION BY sim_run_id ORDER BY ended_at, end_id) = 1
) AS ends USING (sim_run_id);

-- query sim_runs_of_event(event_id)
-- Every run for one event, oldest first.
SELECT * FROM sim_runs WHERE event_id = $event_id ORDER BY started_at, sim_run_id;
