"""Records of every version that was ever written fold, live and in a rebuild, into the same tables."""

from pathlib import Path

import pytest

from eventlog.clock import ManualClock
from eventlog.sqlite import SqliteLog
from projections.catch_up import catch_up
from projections.digest import exact_digests
from projections.store import Store
from tests.projections.laws import empty
from tests.schemas.filled import AT
from tests.schemas.golden_files import FOLDER
from tests.schemas.test_golden import stored


def _folded(store: Store, log: SqliteLog) -> dict[str, str]:
    empty(store)
    assert catch_up(log, store) == 1
    return exact_digests(store)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: str(path.stem))
def test_a_golden_file_folds_the_same_live_and_from_an_old_log(path: Path, store: Store) -> None:
    """Sent today it passes the codec; on a log since its day, the store decodes it."""
    raw = path.read_bytes()
    with SqliteLog(":memory:", ManualClock(AT)) as log:
        log.append_json([raw])
        live = _folded(store, log)
    with SqliteLog(":memory:", ManualClock(AT)) as log:
        log.append_batch(stored(raw))
        replayed = _folded(store, log)

    assert live == replayed
    assert store.rows("FROM dead_letters") == []
