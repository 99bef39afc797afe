"""Digests say whether two stores hold the same, whatever the order of their rows."""

from datetime import timedelta
from decimal import Decimal

import pytest

from projections.digest import differences, exact_digests
from projections.sql_file import Projection
from projections.store import Store
from schemas.ids import spontaneous_id
from schemas.odds import OddsSnapshotCaptured
from tests.content import content_digests
from tests.projections.laws import Placed, Twins, fold, twins
from tests.projections.laws import subjects as all_subjects
from tests.records import MINUTE, NOON, make

THINGS = Projection(
    "things",
    "Things.",
    tables=("CREATE TABLE things (a VARCHAR, b DOUBLE, c VARCHAR[], d DECIMAL(28, 12), e JSON)",),
)


def _digest(*rows: str) -> str:
    store = Store(projections=[THINGS])
    for row in rows:
        store.execute(f"INSERT INTO things VALUES ({row})")
    digest = exact_digests(store)["things"]
    store.close()
    return digest


ROW, OTHER = "'x', 0.1, ['p', 'q'], 1.5, '{}'", "'y', 0.2, [], NULL, NULL"


def test_the_order_of_rows_is_no_part_of_a_digest() -> None:
    """Two folds of one log may insert in any order."""
    assert _digest(ROW, OTHER) == _digest(OTHER, ROW)


def test_a_doubled_row_shows() -> None:
    """Even twice, where an exclusive or would cancel out."""
    assert len({_digest(ROW), _digest(ROW, ROW), _digest(ROW, ROW, ROW)}) == 3


@pytest.mark.parametrize(
    "changed",
    [
        "'X', 0.1, ['p', 'q'], 1.5, '{}'",
        "'x', 0.1 + 2e-17, ['p', 'q'], 1.5, '{}'",
        "'x', 0.1, ['q', 'p'], 1.5, '{}'",
        "'x', 0.1, ['p', 'q'], 1.500000000001, '{}'",
        "'x', 0.1, ['p', 'q'], 1.5, '{\"a\": 1}'",
        "'x', NULL, ['p', 'q'], 1.5, '{}'",
        "NULL, 0.1, ['p', 'q'], 1.5, '{}'",
    ],
)
def test_every_column_counts(changed: str) -> None:
    """To the last bit of a number, and with null apart from every value."""
    assert _digest(ROW) != _digest(changed)


def test_swapped_values_show() -> None:
    """Two rows that trade a column are two other rows."""
    first = _digest("'x', 1, [], 1, NULL", "'y', 2, [], 1, NULL")

    assert first != _digest("'x', 2, [], 1, NULL", "'y', 1, [], 1, NULL")


def test_differences_name_the_tables() -> None:
    """Those that differ, and those that only one side has."""
    assert differences({"a": "1:0", "b": "1:0", "c": "1:0"}, {"a": "1:0", "b": "2:0", "d": "1:0"}) == ["b", "c", "d"]


def _twice(pair: Twins, first: Placed, second: Placed) -> tuple[list[str], list[str]]:
    fold(pair.first, [[first]])
    fold(pair.second, [[second]])
    exact = differences(exact_digests(pair.first), exact_digests(pair.second))
    return exact, differences(content_digests(pair.first), content_digests(pair.second))


SUBJECT = next(subject for subject in all_subjects() if subject.name == "odds_snapshots")


def test_content_leaves_out_stamps_and_spontaneous_ids() -> None:
    """The same thing on another log, at another time, under another spontaneous id."""
    odds = make(OddsSnapshotCaptured)
    ids = [odds.model_copy(update={"record_id": spontaneous_id()}) for _ in range(2)]
    with twins(SUBJECT) as pair:
        late = Placed(ids[1], 1, 9, NOON + timedelta(hours=1))

        assert _twice(pair, Placed(ids[0], 0, 1, NOON), late) == (["odds_records"], [])


def test_content_keeps_derived_ids_and_what_was_said() -> None:
    """An id that is made of what it names is content."""
    odds = make(OddsSnapshotCaptured)
    others = (make(OddsSnapshotCaptured, number=1), make(OddsSnapshotCaptured, at=MINUTE[1]))
    for other in (*others, make(OddsSnapshotCaptured, price="1.92", price_decimal=float(Decimal("1.92")))):
        with twins(SUBJECT) as pair:
            found = _twice(pair, Placed(odds, 0, 1, NOON), Placed(other, 0, 1, NOON))

            assert found == (["odds_records"], ["odds_records"])
