"""Digests of what happened, for stores over different logs."""

from projections.digest import columns, digest
from projections.store import Store

# Where two stores hold the same truth these may still differ: stamps, and places in the log.
_NOT_CONTENT = {"recorded_at", "offset", "partition", "known_at", "decided_at", "revision", "grade_id", "raw"}
_SPONTANEOUS = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
# History and stamps belong to one log's life; another log with the same content has another history.
_OF_ONE_LOG = {"gradings", "dead_letters"}


def content_digests(store: Store) -> dict[str, str]:
    """Without stamps, positions, spontaneous ids and superseded decisions: equal wherever the same thing happened."""
    return {
        table: digest(store, table, [_masked(name) for name in names if name not in _NOT_CONTENT])
        for table, names in columns(store).items()
        if table not in _OF_ONE_LOG
    }


def _masked(column: str) -> str:
    return f"""regexp_replace(CAST("{column}" AS VARCHAR), '{_SPONTANEOUS}', 'id', 'g')"""
