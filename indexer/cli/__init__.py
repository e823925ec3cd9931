"""The command `dejafake`: thin, one file a command group, everything behind it in the library."""

import sys

_INTERRUPTED = "dejafake: interrupted; what was done so far is kept\n"

try:
    from contextlib import suppress

    from indexer.cli import leaving, signals
except KeyboardInterrupt:  # before anybody listens
    sys.stderr.write(_INTERRUPTED)
    sys.exit(130)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits, within a bounded time whatever threads are left. Asked to stop, even while
    modules are still being loaded, it ends with one line and 130 or 143."""
    try:
        signals.listen()
        from indexer.cli.app import run

        code = run(arguments)
        signals.deaf()
    except BaseException as error:
        if signals.received() is None and not isinstance(error, KeyboardInterrupt):
            raise
        with suppress(OSError, ValueError):
            sys.stderr.write(_INTERRUPTED)
        code = 130
    code = signals.received() or code
    leaving.leave_within(leaving.SECONDS, code)
    sys.exit(code)


__all__ = ["main"]
