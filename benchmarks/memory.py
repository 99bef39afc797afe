"""How much memory a rebuild takes at its peak, each size in a process of its own.

`python -m benchmarks.memory [--records N ...] [--folder PATH]` prints the peak resident memory, which must stay under
1 GiB at any size of the log. With a folder the logs are kept there, and those that lie there are used.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.rebuild import rebuild
from benchmarks.stream import log_of

SIZES = (100_000, 1_000_000, 5_000_000)
LIMIT_MIB = 1024


def main() -> None:
    """Print the table; as the child, the peak of one rebuild."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=SIZES, help="sizes (default 0.1, 1, 5 million)")
    parser.add_argument("--folder", type=Path, help="keep the logs here (default: a temporary folder)")
    parser.add_argument("--rebuild", type=Path, nargs=2, metavar=("LOG", "TARGET"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.rebuild:
        rebuild(*given.rebuild)
        print(peak_mib())
    else:
        with tempfile.TemporaryDirectory() as folder:
            for records in given.records:
                _measure(log_of(given.folder or Path(folder), records), Path(folder) / f"{records}.duckdb", records)


def _measure(log: Path, target: Path, records: int) -> None:
    # The command is made of our own paths.
    command = [sys.executable, "-m", "benchmarks.memory", "--rebuild", str(log), str(target)]
    peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
    verdict = "ok" if peak < LIMIT_MIB else "TOO MUCH"
    print(f"{records:>10,} records: peak {peak:>5,} MiB (under {LIMIT_MIB:,}: {verdict})", flush=True)


def peak_mib() -> int:
    """The peak of this process alone: `ru_maxrss` would begin with what the parent held when it forked."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
