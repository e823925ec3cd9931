"""Column types that read and write the same on SQLite and PostgreSQL: UTC times, outside text, JSON, vectors.

Text from outside may hold NUL or lone surrogates, which PostgreSQL or UTF-8 refuse; they become U+FFFD here.
"""

import json
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import DateTime, Dialect, Enum, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

from indexer.addresses import address_key
from indexer.errors import UsageError

NAME_LENGTH = 200
"""Longest name (generator, platform, source, collection), in characters: indexed columns must stay short."""


def utc_now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


def as_utc(value: datetime) -> datetime:
    """`value` in UTC; a naive time is taken to be UTC already.

    Raises:
        UsageError: the time lies outside the years 1 to 9999 once in UTC.
    """
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"{value.isoformat()} is not a usable time: outside the years 1 to 9999") from None


def month_of(value: datetime) -> int:
    """The month a time lies in, in UTC, as a number that rises by one a month."""
    utc = as_utc(value)
    return 12 * utc.year + utc.month - 1


def clean_text(text: str) -> str:
    """`text` with NUL and lone surrogates, which no database stores, replaced by U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def folded(text: str) -> str:
    """`text` cleaned, stripped and case-folded, for case-insensitive comparison."""
    return clean_text(text).strip().casefold()


def address_digest(url: str) -> bytes:
    """The SHA-256 of a web address's key (`address_key`), which all its spellings share."""
    return sha256(address_key(clean_text(url)).encode()).digest()


def bounded(what: str, text: str | None, limit: int = NAME_LENGTH) -> str | None:
    """`text` cleaned and stripped, None if empty.

    Raises:
        UsageError: more than `limit` characters.
    """
    if text is None:
        return None
    cleaned = clean_text(text).strip()
    if len(cleaned) > limit:
        raise UsageError(f"{what} is {len(cleaned)} characters long: at most {limit} are kept")
    return cleaned or None


def canonical_json(value: object) -> str:
    """The canonical JSON of a value: sorted keys, no spaces, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


class UtcDateTime(TypeDecorator[datetime]):
    """`timestamp with time zone` on PostgreSQL, ISO text in UTC on SQLite; aware UTC datetimes in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        if value is None:
            return None
        utc = as_utc(value)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else as_utc(value)


class OutsideText(TypeDecorator[str]):
    """Text that people, files and feeds wrote."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else clean_text(value)


class JsonText(TypeDecorator[Any]):
    """A JSON value as canonical text, so that equal values are equal bytes on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str:
        """To the database."""
        return canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """From the database."""
        return None if value is None else json.loads(value)


class Vector(TypeDecorator[npt.NDArray[np.float32]]):
    """A float32 vector [D] as 4 D little-endian bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: npt.NDArray[np.float32] | None, dialect: Dialect) -> bytes | None:
        """To the database."""
        return None if value is None else np.ascontiguousarray(value, dtype="<f4").tobytes()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> npt.NDArray[np.float32] | None:
        """From the database."""
        return None if value is None else np.frombuffer(value, dtype="<f4").astype(np.float32)


def word(vocabulary: type[StrEnum]) -> Enum:
    """A column type for one word of a closed vocabulary, stored as text so that a new word needs no migration."""
    return Enum(
        vocabulary,
        native_enum=False,
        create_constraint=False,
        validate_strings=True,
        length=32,
        values_callable=lambda words: [member.value for member in words],
    )
