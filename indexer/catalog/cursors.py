"""Opaque cursors of paged lists: where the next page starts, in a form users pass back unread."""

import base64
import binascii
import json
from typing import Any

from indexer.errors import UsageError

PAGE_LIMIT_MAX = 1000


def encode(kind: str, *place: int | str) -> str:
    """A cursor of the list `kind` that continues after `place`."""
    return base64.urlsafe_b64encode(json.dumps([kind, *place]).encode()).decode().rstrip("=")


def decode(kind: str, cursor: str | None, *types: type[int] | type[str]) -> tuple[Any, ...] | None:
    """The place a cursor of `encode` stands for, one value per type; None for no cursor.

    Raises:
        UsageError: not a cursor of this list.
    """
    if cursor is None:
        return None
    try:
        head, *place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        head, place = None, []
    fits = len(place) == len(types) and all(type(value) is kind_ for value, kind_ in zip(place, types, strict=True))
    if head != kind or not fits or any(isinstance(value, int) and abs(value) >= 2**63 for value in place):
        raise UsageError(f"not a cursor of this list of {kind}: pass back `next_cursor` of the page before, unchanged")
    return tuple(place)


def check_limit(limit: int) -> None:
    """
    Raises:
        UsageError: a page of no or too many items.
    """
    if not 1 <= limit <= PAGE_LIMIT_MAX:
        raise UsageError(f"a page holds 1 to {PAGE_LIMIT_MAX} items, not {limit}")
