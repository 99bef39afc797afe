-- Requests to let old odds go; what was let go is in `retentions`.
-- reads: RetentionRequested
-- uses: odds_snapshots, closing_lines, predictions, sim_run_inputs, grading
-- unique: retention_requests(request_id)

-- table
CREATE TABLE retention_requests (
    request_id VARCHAR, retention_days BIGINT, keep_closing_lines BOOLEAN, requested_by VARCHAR, requested_at TIMESTAMPTZ
);

-- fold
INSERT INTO retention_requests
SELECT record_id, retention_days, keep_closing_lines, requested_by, known_at FROM RetentionRequested;

-- query unanswered_retention_requests()
-- Requests that have not been applied yet, or not with all parts, oldest first.
SELECT * FROM retention_requests ANTI JOIN retentions USING (request_id) ORDER BY requested_at, request_id;

-- query retention_outcome(cutoff, decided_at, keep_closing_lines = true)
-- What a retention would keep by name, and how many snapshots it would remove; what is told after it is not its concern.
WITH old AS (
    SELECT snapshot_id FROM odds_records ANTI JOIN odds_removals USING (snapshot_id)
    WHERE captured_at < $cutoff::TIMESTAMPTZ AND recorded_at <= $decided_at::TIMESTAMPTZ
), cited AS (
    SELECT market_snapshot_id_used AS snapshot_id FROM predictions
    UNION SELECT snapshot_id FROM sim_run_inputs
    UNION SELECT unnest(further_snapshot_ids) FROM sim_run_inputs
    UNION SELECT close_snapshot_id FROM gradings
    UNION SELECT snapshot_id FROM closing_lines WHERE $keep_closing_lines::BOOLEAN
), kept AS (
    FROM old SEMI JOIN cited USING (snapshot_id)
)
SELECT (SELECT list(snapshot_id ORDER BY snapshot_id) FROM kept) AS kept,
       (SELECT count(*) FROM old) - (SELECT count(*) FROM kept) AS removed;
