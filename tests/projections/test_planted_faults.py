"""The laws can fail: each planted fault breaks the law that is meant to find it, and no other."""

from collections.abc import Callable
from importlib.resources import files

import pytest

from eventlog.log import Positions
from projections.sql_file import in_order, parse
from projections.store import Store
from tests.projections.laws import (
    LAWS,
    Law,
    LawBrokenError,
    Subject,
    Twins,
    any_cut,
    any_interleaving,
    check,
    only_declared,
    only_the_set,
    rebuild_is_live,
    redelivery,
    twins,
)

NEWEST_PRICES = """
-- The newest price per event, book, market and selection.
-- reads: OddsSnapshotCaptured

-- table
CREATE TABLE newest_prices (
    event_id VARCHAR, book VARCHAR, market_key VARCHAR, selection VARCHAR, snapshot_id VARCHAR, price_decimal DOUBLE,
    captured_at TIMESTAMPTZ
);

-- fold
MERGE INTO newest_prices AS held USING (
    SELECT event_id, book, market_key, selection, ref AS snapshot_id, price_decimal, occurred_at AS captured_at
    FROM OddsSnapshotCaptured
    QUALIFY row_number() OVER (
        PARTITION BY event_id, book, market_key, selection
        ORDER BY occurred_at DESC, ref DESC) = 1
) AS now
ON held.event_id = now.event_id AND held.book = now.book AND held.market_key = now.market_key
   AND held.selection = now.selection
WHEN MATCHED AND (now.captured_at, now.snapshot_id) > (held.captured_at, held.snapshot_id) THEN UPDATE BY NAME
WHEN NOT MATCHED THEN INSERT BY NAME;
"""
PRICE_TOTALS = """
-- The prices of an event, added up as they come.
-- reads: OddsSnapshotCaptured

-- table
CREATE TABLE price_totals (event_id VARCHAR, total DECIMAL(18, 2));

-- fold
MERGE INTO price_totals AS held USING (
    SELECT event_id, sum(price_decimal::DECIMAL(18, 2)) AS total FROM OddsSnapshotCaptured GROUP BY event_id
) AS now ON held.event_id = now.event_id
WHEN MATCHED THEN UPDATE SET total = held.total + now.total
WHEN NOT MATCHED THEN INSERT BY NAME;
"""
TEXTS = {"newest_prices": NEWEST_PRICES, "price_totals": PRICE_TOTALS}


def _sql(name: str) -> str:
    return TEXTS.get(name) or (files("projections") / "sql" / f"{name}.sql").read_text("utf-8")


def _with_fault(name: str, *changes: tuple[str, str], beside: tuple[str, ...] = ()) -> Subject:
    text = _sql(name)
    for right, wrong in changes:
        assert right in text
        text = text.replace(right, wrong)
    others = (parse(other, _sql(other)) for other in beside)
    return Subject(name, in_order([*others, parse(name, text)]))


class ForgetfulStore(Store):
    """Keeps the positions of each topic's first partition, and loses the others."""

    def _move_to(self, after: Positions) -> None:
        super()._move_to({lane: offset for lane, offset in after.items() if lane[1] == 0})


def tie_broken_by_arrival() -> Subject:
    by_id, by_place = (
        "ORDER BY occurred_at DESC, ref DESC",
        'ORDER BY occurred_at DESC, "partition" DESC, "offset" DESC',
    )
    newer = "(now.captured_at, now.snapshot_id) > (held.captured_at, held.snapshot_id)"
    return _with_fault("newest_prices", (by_id, by_place), (newer, "now.captured_at >= held.captured_at"))


def float_sum() -> Subject:
    return _with_fault("price_totals", ("::DECIMAL(18, 2)", ""), ("DECIMAL(18, 2)", "DOUBLE"))


def lost_position() -> Subject:
    return Subject("events", (parse("events", _sql("events")),), ForgetfulStore)


def undeclared_type() -> Subject:
    started = "SELECT event_id FROM OddsSnapshotCaptured JOIN EventStarted USING (event_id)"
    drop = f"DELETE FROM newest_prices WHERE event_id IN ({started});"
    return _with_fault("newest_prices", ("-- fold\n", f"-- fold\n{drop}\n"))


def undeclared_table() -> Subject:
    view = "CREATE VIEW prices_by_league AS SELECT league, p.* FROM newest_prices AS p JOIN events USING (event_id);"
    return _with_fault("newest_prices", ("-- fold\n", f"-- view\n{view}\n\n-- fold\n"), beside=("events",))


def doubled_merge_source() -> Subject:
    one_each = "PARTITION BY event_id, book, market_key, selection\n"
    return _with_fault("newest_prices", (one_each, "PARTITION BY ref\n"))


# Laws that cut a log in two ways see what depends on the cut, too.
_CUTTING: set[Law] = {any_cut, any_interleaving, only_the_set, rebuild_is_live}


@pytest.mark.parametrize(
    ("plant", "broken"),
    [
        (tie_broken_by_arrival, {only_the_set}),
        (float_sum, _CUTTING),
        (lost_position, {redelivery}),
        # What is not declared is not there, unless the batch happens to hold some.
        (undeclared_type, set(LAWS)),
        (undeclared_table, {only_declared}),
        (doubled_merge_source, _CUTTING),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_a_planted_fault_breaks_its_laws(plant: Callable[[], Subject], broken: set[Law]) -> None:
    """A law that could not fail would promise nothing."""
    with twins(plant()) as pair:
        found = {law for law in LAWS if _breaks(law, pair, examples=40 if law in broken else 3)}

    assert broken == found


@pytest.mark.parametrize("name", TEXTS)
def test_without_a_fault_every_law_holds(name: str) -> None:
    """What the faults are planted in is sound."""
    with twins(_with_fault(name)) as pair:
        assert not [law for law in LAWS if _breaks(law, pair, examples=2)]


def _breaks(law: Law, pair: Twins, examples: int) -> bool:
    try:
        check(law, pair, examples, repeatable=True)
    except LawBrokenError:
        return True
    return False
