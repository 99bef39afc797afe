-- Records that could not be decoded or folded; the store keeps the table, this file what was decided about them.
-- reads: DeadLetterResolved
-- unique: dead_letter_resolutions(resolution_id)

-- table
CREATE TABLE dead_letter_resolutions (
    resolution_id VARCHAR, dead_letter VARCHAR, action VARCHAR, who VARCHAR, why VARCHAR, decided_at TIMESTAMPTZ
);

-- fold
INSERT INTO dead_letter_resolutions SELECT ref, dead_letter, action, who, why, occurred_at FROM DeadLetterResolved;

-- query dead_letters_open()
-- What nobody has decided about yet.
SELECT topic || '/' || "partition" || '/' || "offset" AS dead_letter, kind, type, schema_version, event_id, reason
FROM dead_letters
ANTI JOIN dead_letter_resolutions ON dead_letter = topic || '/' || "partition" || '/' || "offset"
ORDER BY ALL;
