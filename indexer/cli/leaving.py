"""The end of the process: what still holds it a while after the command ended is left behind.

Python waits at its end for every thread that is not a daemon, and libraries wait for their own: one that is stuck in a
read, a lock or a driver would keep an ended command alive for ever.
"""

import os
import signal
import threading
from time import sleep

SECONDS = 20.0
"""How long threads have after the end of the command. What it did is written by then."""


def leave_within(seconds: float, code: int) -> None:
    """From the end of Python's own work on the process has `seconds`, and then ends with `code`, whatever holds it."""
    ending = threading.Event()
    at_the_end = getattr(threading, "_register_atexit", None)  # runs before threads are waited for; atexit runs after
    if at_the_end is None:
        return
    at_the_end(ending.set)
    threading.Thread(target=_leave, args=(ending, seconds, code), name="leave", daemon=True).start()


def _leave(ending: threading.Event, seconds: float, code: int) -> None:
    ending.wait()
    if hasattr(signal, "SIGALRM"):  # for what comes later, where this thread runs no more
        signal.setitimer(signal.ITIMER_REAL, 2 * seconds + 1)
    sleep(seconds)
    os._exit(code)
