"""Sightings: an image seen somewhere. The same sighting is kept once, however often it is reported."""

from collections.abc import Sequence
from dataclasses import astuple
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.portable import insert_new
from indexer.catalog.records import NewSighting
from indexer.catalog.tables import ImageRow, SeenAddressRow, SightingRow
from indexer.catalog.types import address_digest, as_utc, bounded, canonical_json, clean_text, month_of, utc_now


def add(session: Session, image_id: int, sightings: Sequence[NewSighting]) -> int:
    """Record where an image was seen; sightings that say nothing at all are left out.

    Returns:
        How many were new.

    Raises:
        UsageError: a platform's name is too long, or a time that is none.
    """
    cleaned = [_cleaned(sighting) for sighting in sightings]
    rows = [
        {
            "image_id": image_id,
            "digest": _digest(sighting),
            "url": sighting.url,
            "archive_url": sighting.archive_url,
            "platform": sighting.platform,
            "account": sighting.account,
            "posted_at": sighting.posted_at,
            "posted_month": None if sighting.posted_at is None else month_of(sighting.posted_at),
            "caption": sighting.caption,
            "language": sighting.language,
            "claim": sighting.claim,
            "recorded_at": utc_now(),
        }
        for sighting in cleaned
        if sighting != NewSighting()
    ]
    added = insert_new(session, SightingRow, rows, SightingRow.id)
    urls = [url for sighting in cleaned for url in (sighting.url, sighting.archive_url) if url]
    addresses = [{"digest": digest, "image_id": image_id} for digest in dict.fromkeys(map(address_digest, urls))]
    insert_new(session, SeenAddressRow, addresses, SeenAddressRow.image_id)
    return len(added)


def images_at(session: Session, urls: Sequence[str], limit: int) -> tuple[str, ...]:
    """The SHA-256 of at most `limit` images that were seen, or archived, at one of these addresses; one statement.

    Addresses are compared as they are written, but for their fragment and the case of scheme and host.
    """
    digests = sorted({address_digest(url) for url in urls})
    seen = select(SeenAddressRow.image_id).where(SeenAddressRow.digest.in_(digests))
    return tuple(
        session.scalars(select(ImageRow.sha256).where(ImageRow.id.in_(seen)).order_by(ImageRow.id).limit(limit))
    )


def _cleaned(sighting: NewSighting) -> NewSighting:
    def text(value: str | None) -> str | None:
        return None if value is None else clean_text(value).strip() or None

    return NewSighting(
        url=text(sighting.url),
        archive_url=text(sighting.archive_url),
        platform=bounded("a platform", sighting.platform),
        account=text(sighting.account),
        posted_at=None if sighting.posted_at is None else as_utc(sighting.posted_at),
        caption=text(sighting.caption),
        language=text(sighting.language),
        claim=text(sighting.claim),
    )


def _digest(sighting: NewSighting) -> bytes:
    values = [value.isoformat() if hasattr(value, "isoformat") else value for value in astuple(sighting)]
    return sha256(canonical_json(values).encode()).digest()
