"""Pages of long lists, and their opaque cursors: where the next page starts, in a form users pass back unread.

A list names the columns that say where a page ends; `PageRequest` reads the cursor and cuts the page.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Self, TypeVarTuple

from sqlalchemy import Row, Select
from sqlalchemy.orm import Session

from indexer.catalog.records.pages import Page
from indexer.errors import UsageError

Ts = TypeVarTuple("Ts")

PAGE_LIMIT_MAX = 1000


def encode(kind: str, *position: int | str) -> str:
    """A cursor of the list `kind` that continues after `place`."""
    return base64.urlsafe_b64encode(json.dumps([kind, *position]).encode()).decode().rstrip("=")


def decode(kind: str, cursor: str | None, *types: type[int] | type[str]) -> tuple[Any, ...] | None:
    """The position in a cursor made by `encode`, one value per type; None without a cursor.

    Raises:
        UsageError: not a cursor of this list.
    """
    if cursor is None:
        return None
    try:
        head, *position = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        head, position = None, []
    fits = len(position) == len(types) and all(
        type(value) is kind_ for value, kind_ in zip(position, types, strict=True)
    )
    if head != kind or not fits or any(isinstance(value, int) and abs(value) >= 2**63 for value in position):
        raise UsageError(f"not a cursor of this list of {kind}: pass back `next_cursor` of the page before, unchanged")
    return tuple(position)


def check_limit(limit: int) -> None:
    """
    Raises:
        UsageError: the limit is below one or too large.
    """
    if not 1 <= limit <= PAGE_LIMIT_MAX:
        raise UsageError(f"a page holds 1 to {PAGE_LIMIT_MAX} items, not {limit}")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of the list `kind` is wanted. `columns` are those whose values, in the last row of a page, say where
    the next one starts; `after` are the values the cursor carries, None for the first page."""

    kind: str
    limit: int
    columns: tuple[str, ...]
    after: tuple[Any, ...]

    @classmethod
    def read(
        cls,
        kind: str,
        limit: int,
        cursor: str | None,
        *,
        start: tuple[Any, ...] = (),
        **columns: type[int] | type[str],
    ) -> Self:
        """The page a caller asks for: at most `limit` items after `cursor`; without one, after `start`.

        Raises:
            UsageError: a bad limit, or not a cursor of this list.
        """
        check_limit(limit)
        return cls(kind, limit, tuple(columns), decode(kind, cursor, *columns.values()) or start)

    def rows(self, session: Session, statement: Select[*Ts], *, growing: bool = False) -> Page[Row[*Ts]]:
        """The rows of the page; one statement. One row more than fits is read, to see whether there is a next page.

        Args:
            statement: starts after `after`, in the order of `columns`, and selects those columns under their names.
            growing: the list still grows, so the last page has a cursor, too; it needs a `start`.
        """
        rows = session.execute(statement.limit(self.limit + 1)).all()
        items = tuple(rows[: self.limit])
        if len(rows) <= self.limit and not growing:
            return Page(items, None)
        last = tuple(getattr(items[-1], name) for name in self.columns) if items else self.after
        return Page(items, encode(self.kind, *last))
