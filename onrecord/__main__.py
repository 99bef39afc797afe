"""`python -m onrecord` is the command line."""

import gc
import os
import signal
import sys

from onrecord.stopping import was_interrupted


def main() -> None:
    """Run a command; told to stop, whether while it starts or while it works, it says so in one line."""
    _stand_in_for_closed()
    try:
        # Reading it takes long enough to be interrupted. Nothing of it is ever let go: no use to search it for that.
        gc.disable()
        from onrecord.cli import main as command

        gc.enable()
        command()
    except BaseException as error:
        if not was_interrupted(error):
            raise
        sys.stderr.write("stopped: what was put on record stays; the same command goes on where it was\n")
        raise SystemExit(130) from None
    finally:
        # What is left is Python's own end, which takes a while: stopped there, what is done would look undone.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stand_in_for_closed() -> None:
    """Put nothing in the place of standard streams that were closed: a file opened later would take their numbers."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            # The lowest free number is the closed one's, in this order.
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: PTH123, SIM115 - open to the end


if __name__ == "__main__":
    main()
