"""The query of one row."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowQuery:
    """The query of a row: a picture, or what is known about a picture that is not available, or why there is neither.

    `location` names the row for a person ("row 17", a path). `read` gives the picture's bytes; it may be called later
    and from another thread, and raises ImageRejectedError. `sha256` (lower case) and `pdq` (64 hex digits): with a
    picture, the SHA-256 is what its bytes must hash to; without one, the row is searched by them. `urls` are addresses
    of a picture that is not at hand: never fetched, but looked up among sightings where hashes tell nothing. `problem`
    is the stable reason and the message of a row that cannot be asked with.
    """

    location: str
    read: Callable[[], bytes] | None = None
    sha256: str | None = None
    pdq: str | None = None
    urls: tuple[str, ...] = ()
    problem: tuple[str, str] | None = None
