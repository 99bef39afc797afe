-- Published parlays and their legs, as published; published_predictions.sql says which of them count.
-- reads: ParlayPublished
-- unique: parlays(publish_id)

-- table
CREATE TABLE parlays (
    publish_id VARCHAR, channel VARCHAR, visibility VARCHAR, decision_reason_codes VARCHAR[], copy_template_id VARCHAR,
    is_official BOOLEAN, in_play BOOLEAN, legs INTEGER, occurred_at TIMESTAMPTZ, published_at TIMESTAMPTZ, origin VARCHAR,
    recorded_at TIMESTAMPTZ
);
CREATE TABLE parlay_legs (
    publish_id VARCHAR, leg INTEGER, prediction_id VARCHAR, line DOUBLE, odds_format VARCHAR, price VARCHAR,
    price_decimal DOUBLE, book VARCHAR, ticket_selection VARCHAR
);

-- fold
INSERT INTO parlays
SELECT ref, channel, visibility, decision_reason_codes, copy_template_id, is_official, in_play, len(legs), occurred_at,
       known_at, origin, recorded_at
FROM ParlayPublished;

INSERT INTO parlay_legs
SELECT ref, leg, said.prediction_id, said.ticket_terms.line, said.ticket_terms.odds_format, said.ticket_terms.price,
       said.ticket_terms.price_decimal, said.ticket_terms.book, said.ticket_terms.selection
FROM (SELECT ref, unnest(legs) AS said, generate_subscripts(legs, 1) AS leg FROM ParlayPublished);
