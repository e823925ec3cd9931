"""Being asked to stop: Ctrl-C and SIGTERM end a command with one line and their exit code, at every moment of it.

Nothing heavy is imported here: this is the first thing that a command loads.
"""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

_HEARD = tuple(
    signum for signum in (getattr(signal, "SIGINT", None), getattr(signal, "SIGTERM", None)) if signum is not None
)
_SOON_SECONDS = 0.05
_received: int | None = None


def listen() -> None:
    """From here on a signal is a KeyboardInterrupt, and a second one ends the process at once."""
    for number in _HEARD:
        if signal.getsignal(number) != signal.SIG_IGN:  # whoever started us wanted it so: nohup, a shell's background
            signal.signal(number, _handle)
    sys.unraisablehook = _unraisable


def received() -> int | None:
    """The exit code of the signal that asked to stop; None when none did."""
    return None if _received is None else 128 + _received


def deaf() -> None:
    """At the end: a further signal ends the process at once."""
    for number in _HEARD:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda signum, _frame: os._exit(128 + signum))


def _handle(number: int, frame: FrameType | None) -> None:
    global _received
    if _received is not None:
        os._exit(128 + number)
    _received = number
    raise KeyboardInterrupt


def _unraisable(lost: Any) -> None:
    """Where Python drops an exception (a finaliser, a callback of C), an interrupt is raised again, and the noise of
    one that is under way is left out."""
    global _received
    if _received is None:
        sys.__unraisablehook__(lost)
    elif isinstance(lost.exc_value, KeyboardInterrupt):
        number, _received = _received, None
        again = threading.Timer(_SOON_SECONDS, os.kill, (os.getpid(), number))  # raised here, it would be dropped too
        again.daemon = True
        again.start()
