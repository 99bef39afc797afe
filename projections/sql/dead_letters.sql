-- Records that could not be decoded or folded; the store keeps the table, this file what was decided about them.
-- reads: DeadLetterResolved
-- unique: dead_letter_resolutions(resolution_id)

-- table
CREATE TABLE dead_letter_resolutions (
    resolution_id VARCHAR, dead_letter VARCHAR, action VARCHAR, who VARCHAR, why VARCHAR, decided_at TIMESTAMPTZ
);

-- fold
INSERT INTO dead_letter_resolutions SELECT ref, dead_letter, action, who, why, occurred_at FROM DeadLetterResolved;

-- view
-- The last word on each.
CREATE VIEW dead_letter_decisions AS
SELECT dead_letter, last.* FROM (
    SELECT dead_letter, arg_max({'action': action, 'who': who, 'why': why, 'decided_at': decided_at},
                                (decided_at, resolution_id)) AS last
    FROM dead_letter_resolutions GROUP BY dead_letter
);

-- What nobody has dropped, and no retry has folded.
CREATE VIEW open_dead_letters AS
FROM dead_letters ANTI JOIN (FROM dead_letter_decisions WHERE action = 'drop') USING (dead_letter);

-- Events that nobody decides about: what could not be read might have changed the decision. A retry that did any good
-- has taken the letter away. Of what this code does not know only grades count: newer code has decided about the event.
CREATE VIEW held_events AS
SELECT DISTINCT event_id FROM open_dead_letters
WHERE (kind <> 'UNKNOWN' OR type = 'PredictionGraded') AND event_id IS NOT NULL;

-- query dead_letters_open()
-- Those that wait for a decision.
SELECT dead_letter, kind, type, schema_version, event_id, reason FROM open_dead_letters ORDER BY ALL;

-- query dead_letters_all()
-- All of them, with the last word on each.
SELECT dead_letter, kind, type, event_id, occurred_at, reason, action, who, why, decided_at
FROM dead_letters LEFT JOIN dead_letter_decisions USING (dead_letter)
ORDER BY dead_letter;

-- query dead_letter(dead_letter)
-- One of them, whole, by its name or its place, with the last word on it.
SELECT dead_letters.*, action, who, why, decided_at
FROM dead_letters LEFT JOIN dead_letter_decisions USING (dead_letter)
WHERE $dead_letter IN (dead_letter, topic || '/' || "partition" || '/' || "offset");
