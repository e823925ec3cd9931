"""A sighting: an image seen somewhere. Its fields are declared once, here, for whoever reads, stores or writes them.

What sources state and clients send goes in as `NewSighting`; the catalogue adds when it was told (`Sighting`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, get_args, get_type_hints


class SightingKind(StrEnum):
    """What a field of a sighting holds: how it is read, checked and cleaned follows from that."""

    ADDRESS = "address"
    NAME = "name"
    TIME = "time"
    WORD = "word"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class SightingField:
    """A field of a sighting: what it holds, what users read about it, and other columns that manifests call it by."""

    kind: SightingKind
    help: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewSighting:
    """An image seen somewhere. Times are UTC; addresses are recorded, never fetched."""

    url: Annotated[
        str | None,
        SightingField(SightingKind.ADDRESS, "Where they were seen. Recorded, never fetched."),
    ] = None
    archive_url: Annotated[
        str | None,
        SightingField(SightingKind.ADDRESS, "An archived copy of that place. Never fetched."),
    ] = None
    platform: Annotated[
        str | None,
        SightingField(SightingKind.NAME, "Platform they were seen on."),
    ] = None
    account: Annotated[
        str | None,
        SightingField(SightingKind.TEXT, "Account that posted them."),
    ] = None
    posted_at: Annotated[
        datetime | None,
        SightingField(SightingKind.TIME, "When they were posted.", aliases=("date",)),
    ] = None
    caption: Annotated[
        str | None,
        SightingField(SightingKind.TEXT, "Text posted with them."),
    ] = None
    language: Annotated[
        str | None,
        SightingField(SightingKind.WORD, "Language of that text."),
    ] = None
    claim: Annotated[
        str | None,
        SightingField(SightingKind.TEXT, "What was claimed with them."),
    ] = None


@dataclass(frozen=True, slots=True)
class Sighting(NewSighting):
    """A stored sighting."""

    __pydantic_config__: ClassVar[Mapping[str, bool]] = {"json_schema_serialization_defaults_required": True}

    recorded_at: datetime = field(kw_only=True)


SIGHTING_FIELDS: Final[Mapping[str, SightingField]] = MappingProxyType(
    {name: get_args(hint)[1] for name, hint in get_type_hints(NewSighting, include_extras=True).items()}
)
"""Every field of `NewSighting` by its name, in order."""


def addresses_of(sighting: NewSighting) -> tuple[str, ...]:
    """The addresses a sighting names: the place, then its archived copy."""
    kinds = ((name, described.kind) for name, described in SIGHTING_FIELDS.items())
    values = (getattr(sighting, name) for name, kind in kinds if kind is SightingKind.ADDRESS)
    return tuple(value for value in values if value)
