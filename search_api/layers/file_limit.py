"""The limit on open files, and so on connections: raised as far as permitted."""

import logging
from contextlib import suppress
from typing import Final

logger = logging.getLogger("dejafake.api")

OTHERS: Final = 512
"""Open files that connections leave to the catalogue, the index, uploads and connections just taken."""
_ENOUGH: Final = 65_536


def raise_file_limit() -> int | None:
    """Raises the soft limit on open files to the hard one; returns the new limit, None where there is none."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    limit = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if limit > soft:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return limit
    return soft


def connections_within(requested: int, files: int | None) -> int:
    """How many connections a process may take that may open so many files; warns when these are fewer than wanted."""
    if files is None:
        return requested
    room = max(files - OTHERS, files // 4)
    if room < requested:
        logger.warning(
            "with at most %d open files, %d connections are taken at a time, not %d: raise the limit (ulimit -n, "
            "LimitNOFILE=) or lower DEJAFAKE_CONNECTIONS_MAX",
            files,
            room,
            requested,
        )
    return min(requested, room)
