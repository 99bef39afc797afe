"""Runs the Python blocks of README and docs as tests, and says what a run leaves out.

A block that begins with ```python no-run is for reading only.
"""

import os
import sys
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

# Tests never time: on a busy machine any example may take long.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_ASKED = {"kafka": "make test-kafka", "real_data": "make test-real-data", "slow": "make test-slow"}

_FOLDER = "the document's own folder"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was left out is said, with the command that asks for it."""
    left_out = [name for name in _ASKED if f"not {name}" in config.option.markexpr]
    for name in left_out:
        terminalreporter.write_line(f"tests marked {name} were not asked for: {_ASKED[name]} runs them")


def _open(namespace: dict[str, Any]) -> None:
    """Each document has an empty home; what its blocks import from onrecord.services is made anew for it."""
    namespace[_FOLDER] = TemporaryDirectory()
    os.environ["ONRECORD_HOME"] = namespace[_FOLDER].name


def _close(namespace: dict[str, Any]) -> None:
    services = sys.modules.pop("onrecord.services", None)
    if services is not None:
        services.workspace().close()
    for value in list(namespace.values()):
        if hasattr(value, "close") and not isinstance(value, type):  # a log, a store: docs read better without `with`
            value.close()
    namespace.pop(_FOLDER).cleanup()
    del os.environ["ONRECORD_HOME"]


pytest_collect_file = Sybil(
    [PythonCodeBlockParser()], patterns=["README.md", "docs/*.md"], setup=_open, teardown=_close
).pytest()
