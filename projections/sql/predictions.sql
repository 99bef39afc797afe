-- What the engines believed, one row per prediction.
-- reads: PredictionMade
-- unique: predictions(prediction_id)

-- table
CREATE TABLE predictions (
    prediction_id VARCHAR, event_id VARCHAR, sim_run_id VARCHAR, market_key VARCHAR, selection VARCHAR,
    market_snapshot_id_used VARCHAR, model_line DOUBLE, p_cover DOUBLE, p_cover_calibrated DOUBLE,
    calibration_version_applied VARCHAR, ev_units DOUBLE, edge_points DOUBLE, uncertainty DOUBLE,
    distribution_summary JSON, rcl_gate_pass BOOLEAN, recommendation_state VARCHAR, tier VARCHAR,
    confidence_index DOUBLE, variance_bucket VARCHAR, predicted_at TIMESTAMPTZ, known_at TIMESTAMPTZ, origin VARCHAR,
    recorded_at TIMESTAMPTZ
);

-- fold
INSERT INTO predictions
SELECT ref, event_id, sim_run_id, market_key, selection, market_snapshot_id_used, model_line, p_cover,
       p_cover_calibrated, calibration_version_applied, ev_units, edge_points, uncertainty, distribution_summary,
       rcl_gate_pass, recommendation_state, tier, confidence_index, variance_bucket, occurred_at, known_at, origin,
       recorded_at
FROM PredictionMade;
