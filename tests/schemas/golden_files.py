"""One record of every type and version as it was first written; the files are never changed, only added to.

`python -m tests.schemas.golden_files` writes those that are missing, each with every field set.
"""

from pathlib import Path

from schemas.export import file_name
from schemas.record import Record
from schemas.registry import RECORD_TYPES, current_version, type_name
from tests.schemas.filled import filled

FOLDER = Path(__file__).parent / "golden"


def expected_names(kind: type[Record]) -> list[str]:
    """A file for each version that the type has ever had."""
    return [f"{type_name(kind)}.v{version}.json" for version in range(1, current_version(kind) + 1)]


def write_missing() -> None:
    """Write the golden files of today's versions, where there are none."""
    for kind in RECORD_TYPES:
        path = FOLDER / file_name(kind)
        if not path.exists():
            path.write_text(filled(kind).model_dump_json() + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_missing()
