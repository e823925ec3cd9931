"""Rate-limits repeated log lines: an error that occurs a thousand times a second must not fill the disk."""

import logging
from time import monotonic
from typing import Final

SECONDS: Final = 60.0
MOST: Final = 60
"""Lines of one kind in `SECONDS`."""
_KINDS: Final = 1_000


class RepeatedLines(logging.Filter):
    """Passes the first lines of a kind in each minute; the next line after that reports how many were dropped. A kind
    is a logger's message before formatting.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int, str], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        kind = (record.name, record.levelno, str(record.msg)[:200])
        now = monotonic()
        if len(self._seen) >= _KINDS and kind not in self._seen:
            self._seen.clear()
        since, count = self._seen.get(kind, [now, 0])
        left_out = 0
        if now - since >= SECONDS:
            since, left_out, count = now, max(0, int(count) - MOST), 0
        self._seen[kind] = [since, count + 1]
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} more lines like it before)", None
        return count < MOST
