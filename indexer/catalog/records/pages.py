"""One page of a long list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `next_cursor` is opaque, None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None

    def map(self, record: Callable[[T], U]) -> "Page[U]":
        """The same page with each item turned into something else."""
        return Page(tuple(record(item) for item in self.items), self.next_cursor)
