"""Other processes in tests."""

import subprocess
import sys
from collections.abc import Sequence


def until_it_says(word: str, code: str, arguments: Sequence[object] = ()) -> "subprocess.Popen[str]":
    """A process that runs some Python, and has said a word as its first line."""
    words = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == f"{word}\n"
    return process
