"""A projection is one `.sql` file; what does not follow its form is refused with file and line."""

import pytest

from projections.sql_file import BadProjectionError, Projection, in_order, load_projections, parse

PRICES = """-- The highest price seen.
-- It takes two lines to say so.
-- reads: OddsSnapshotCaptured, EventStarted
-- uses: events, odds_snapshots
-- unique: prices(price_id), price_totals(event_id)

-- table
CREATE TABLE prices (price_id VARCHAR);
CREATE TABLE price_totals (event_id VARCHAR); -- a semicolon; in a comment

-- fold
INSERT INTO prices SELECT ref FROM OddsSnapshotCaptured WHERE book <> ';';

-- view
CREATE VIEW high_prices AS FROM prices;

-- query prices_of(event_id, book = 'pinnacle', month = NULL)
-- Of one event.
-- And one book.
SELECT * FROM prices WHERE event_id = $event_id AND book = $book;
"""


def test_a_file_is_read_section_by_section() -> None:
    """Header, tables, folds and views, each statement on its own."""
    prices = parse("prices", PRICES)

    assert prices.description == "The highest price seen. It takes two lines to say so."
    assert prices.reads == ("OddsSnapshotCaptured", "EventStarted")
    assert prices.uses == ("events", "odds_snapshots")
    assert prices.unique == (("prices", "price_id"), ("price_totals", "event_id"))
    assert [len(part) for part in (prices.tables, prices.folds, prices.views)] == [2, 1, 1]


def test_a_fold_runs_where_a_type_that_it_names_is_present() -> None:
    """Of the types that the file reads others may be there."""
    prices = parse("prices", PRICES)

    assert prices.folds_of({"OddsSnapshotCaptured", "EventScheduled"}) == list(prices.folds)
    assert prices.folds_of({"EventStarted"}) == []


def test_a_query_knows_its_parameters() -> None:
    """Which have a default, which may be null, and which must be given."""
    [query] = parse("prices", PRICES).queries

    assert query.name == "prices_of"
    assert query.description == "Of one event. And one book."
    assert query.defaults == {"event_id": None, "book": "pinnacle", "month": None}
    assert query.required == ("event_id",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begin with a sentence"),
        ("-- reads: OddsSnapshotCaptured", "begin with a sentence"),
        ("-- A row.\n\nCREATE TABLE t (a INT);", "prices.sql line 3: write `-- table`"),
        ("-- A row.\n-- reads: CrowdCounted", "reads CrowdCounted, which is no record type"),
        ("-- A row.\n\n-- fold\nDELETE FROM t", "a fold names the types that it runs for"),
        ("-- A row.\n-- query nameless\nSELECT 1", "write `-- query name"),
        ("-- A row.\n-- query two()\nSELECT 1; SELECT 2", "one SELECT below it"),
        ("-- A row.\n-- query none()\n", "one SELECT below it"),
        ("-- A row.\n-- table\nCREATE TABEL t (a INT);", "prices.sql: Parser Error"),
    ],
)
def test_a_file_that_does_not_follow_the_form_is_refused(text: str, message: str) -> None:
    """The message says which file, and what to write instead."""
    with pytest.raises(BadProjectionError, match=r"prices\.sql") as refused:
        parse("prices", text)

    assert message in str(refused.value)


def test_those_that_are_used_come_first() -> None:
    """Folds run in this order, whatever the names of the files."""
    chain = (Projection("a", "", uses=("b", "c")), Projection("b", "", uses=("c",)), Projection("c", ""))

    assert [projection.name for projection in in_order(chain)] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("projections", "message"),
    [
        ([Projection("a", "", uses=("b",))], "a.sql uses b, which no file defines"),
        ([Projection("a", "", uses=("b",)), Projection("b", "", uses=("a",))], "in a circle: a, b"),
        ([Projection("a", "", uses=("a",))], "in a circle: a"),
    ],
)
def test_uses_that_lead_nowhere_are_refused(projections: list[Projection], message: str) -> None:
    """Unknown, mutual, and of itself."""
    with pytest.raises(BadProjectionError, match=message):
        in_order(projections)


def test_the_names_of_queries_are_their_own() -> None:
    """A query is asked for by its name alone."""
    names = [query.name for projection in load_projections() for query in projection.queries]

    assert sorted(set(names)) == sorted(names)
