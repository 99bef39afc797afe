-- Which snapshots each run saw: one row per record of inputs.
-- reads: SimRunInputsRecorded
-- unique: sim_run_inputs(inputs_id)

-- table
CREATE TABLE sim_run_inputs (
    sim_run_id VARCHAR, inputs_id VARCHAR, snapshot_id VARCHAR, injury_snapshot_id_home VARCHAR,
    injury_snapshot_id_away VARCHAR, further_snapshot_ids VARCHAR[], occurred_at TIMESTAMPTZ,
    known_at TIMESTAMPTZ, recorded_at TIMESTAMPTZ
);

-- fold
INSERT INTO sim_run_inputs
SELECT sim_run_id, ref, snapshot_id, injury_snapshot_id_home, injury_snapshot_id_away, further_snapshot_ids, occurred_at,
       known_at, recorded_at
FROM SimRunInputsRecorded;
