"""Sightings: an image seen somewhere. The same sighting is stored once, however often it is reported."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.addresses import address_key
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import insert_new
from indexer.catalog.tables.sightings import SeenAddressRow, SightingRow
from indexer.catalog.tables.types import address_digest, as_utc, bounded, canonical_json, clean_text, month_of, utc_now
from indexer.sightings import SIGHTING_FIELDS, NewSighting, SightingKind, addresses_of


def add(session: Session, image_id: int, sightings: Sequence[NewSighting]) -> int:
    """Store sightings of an image; empty ones are left out.

    Returns:
        How many were new.

    Raises:
        UsageError: a platform's name is too long, or a time is invalid.
    """
    cleaned = [_cleaned(sighting) for sighting in sightings]
    rows = [
        {
            "image_id": image_id,
            "digest": sighting_digest(sighting),
            **{name: getattr(sighting, name) for name in SIGHTING_FIELDS},
            "posted_month": None if sighting.posted_at is None else month_of(sighting.posted_at),
            "recorded_at": utc_now(),
        }
        for sighting in cleaned
        if sighting != NewSighting()
    ]
    added = insert_new(session, SightingRow, rows, SightingRow.id)
    urls = [url for sighting in cleaned for url in addresses_of(sighting)]
    addresses = [{"digest": digest, "image_id": image_id} for digest in dict.fromkeys(map(address_digest, urls))]
    insert_new(session, SeenAddressRow, addresses, SeenAddressRow.image_id)
    return len(added)


def images_at(session: Session, urls: Sequence[str], limit: int) -> tuple[str, ...]:
    """The SHA-256 of at most `limit` images seen or archived at one of these addresses; one statement.

    Addresses are compared by their keys (`address_key`): spellings of one address are equal.
    """
    digests = sorted({address_digest(url) for url in urls})
    image_ids = select(SeenAddressRow.image_id).where(SeenAddressRow.digest.in_(digests))
    return tuple(
        session.scalars(select(ImageRow.sha256).where(ImageRow.id.in_(image_ids)).order_by(ImageRow.id).limit(limit))
    )


def _cleaned(sighting: NewSighting) -> NewSighting:
    return NewSighting(**{name: _clean(name, getattr(sighting, name)) for name in SIGHTING_FIELDS})


def _clean(name: str, value: Any) -> Any:
    if value is None:
        return None
    match SIGHTING_FIELDS[name].kind:
        case SightingKind.NAME:
            return bounded(f"a {name}", value)
        case SightingKind.TIME:
            return as_utc(value)
        case _:
            return clean_text(value).strip() or None


def sighting_digest(sighting: NewSighting) -> bytes:
    """Identifies a sighting: two sightings of an image with the same text are equal, however their addresses are
    spelled. The first spelling is kept.
    """
    values = [_key(field.kind, getattr(sighting, name)) for name, field in SIGHTING_FIELDS.items()]
    return sha256(canonical_json(values).encode()).digest()


def _key(kind: SightingKind, value: Any) -> str | None:
    if value is None:
        return None
    if kind is SightingKind.ADDRESS:
        return address_key(value)
    return value.isoformat() if kind is SightingKind.TIME else str(value)
