"""What analysts open: a copy of the projections beside the owner's file, and Parquet partitioned by month."""

import glob
import os
from datetime import datetime
from pathlib import Path

from projections.drafts import draft_folder
from projections.store import Store, quoted

# A storage version that DuckDB 1.4 reads too.
STORAGE_VERSION = "v1.0.0"
_BIND_VIEWS = "SELECT count(*) FROM duckdb_columns()"
"""DuckDB 1.4 wants a view's columns in the file; the store's own views are bound when they are asked."""
PARTITIONED = {"odds_snapshots": "captured_month"}
_DRAFT = "draft"
"""Who asks for every Parquet file below a folder is given those in hidden folders, too: a draft is called otherwise."""


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
    """Write every table and view as Parquet below `folder`, odds in one folder a month; gives what was written.

    What lay there stays until all is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with draft_folder(folder, "export") as drafts:
        written = [_export(store, name, drafts) for name in store.relations()]
        return [_put(draft, folder) for draft in written]


def _export(store: Store, name: str, drafts: Path) -> Path:
    by_month = PARTITIONED.get(name)
    partition = f", PARTITION_BY ({by_month}), FILE_EXTENSION '{_DRAFT}'" if by_month else ""
    store.execute(f"COPY (FROM \"{name}\") TO '{quoted(drafts / name)}' (FORMAT parquet{partition})")
    return drafts / name


def _put(draft: Path, folder: Path) -> Path:
    """Replace what was written before; no file system exchanges a folder at once, but for two renames."""
    if draft.is_file():
        return draft.replace(folder / f"{draft.name}.parquet")
    for part in list(draft.rglob(f"*.{_DRAFT}")):
        part.rename(part.with_suffix(".parquet"))
    target = folder / draft.name
    if target.exists():
        target.rename(draft.with_name(f"{draft.name}.before"))
    return draft.rename(target)
