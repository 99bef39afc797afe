"""What analysts open: a copy of the projections beside the owner's file, and Parquet partitioned by month."""

import glob
import os
import shutil
from datetime import datetime
from pathlib import Path

from projections.store import Store, quoted

# A storage version that DuckDB 1.4 reads too.
STORAGE_VERSION = "v1.0.0"
_BIND_VIEWS = "SELECT count(*) FROM duckdb_columns()"
"""DuckDB 1.4 wants a view's columns in the file; the store's own views are bound when they are asked."""
PARTITIONED = {"odds_snapshots": "captured_month"}


def publish_copy(store: Store, path: Path, published_at: datetime) -> None:
    """Write the whole store to `path`, positions and time inside; a reader sees the old file or the new one.

    Nobody else may write there: of drafts only those of killed publishers lie there, and they go.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        left.unlink()
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    store.execute(
        _BIND_VIEWS,
        f"ATTACH '{quoted(draft)}' AS published (STORAGE_VERSION '{STORAGE_VERSION}')",
        f"COPY FROM DATABASE {store.catalog} TO published",
        f"CREATE TABLE published.published_at AS SELECT TIMESTAMPTZ '{published_at.isoformat()}' AS published_at",
        "DETACH published",
    )
    draft.replace(path)


def export_parquet(store: Store, folder: Path) -> list[Path]:
    """Write every table and view as Parquet below `folder`, odds in one folder a month; gives what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_export(store, name, folder) for name in store.relations()]


def _export(store: Store, name: str, folder: Path) -> Path:
    by_month = PARTITIONED.get(name)
    target = folder / (name if by_month else f"{name}.parquet")
    if by_month and target.exists():
        shutil.rmtree(target)
    partition = f", PARTITION_BY ({by_month})" if by_month else ""
    store.execute(f"COPY (FROM \"{name}\") TO '{quoted(target)}' (FORMAT parquet{partition})")
    return target
