"""Where the bytes of an image came from. The same place in the same source is kept once."""

from hashlib import sha256

from sqlalchemy.orm import Session

from indexer.catalog.portable import insert_new
from indexer.catalog.records import NewSource
from indexer.catalog.tables import SourceRow
from indexer.catalog.types import canonical_json, clean_text, utc_now


def add(session: Session, image_id: int, source: NewSource) -> bool:
    """Record a place the image was ingested from; fields of the first time are kept.

    Returns:
        Whether it was new.
    """
    place = [clean_text(source.source), clean_text(source.location)]
    row = {
        "image_id": image_id,
        "digest": sha256(canonical_json(place).encode()).digest(),
        "source": place[0],
        "location": place[1],
        "fields": {clean_text(name): clean_text(value) for name, value in source.fields.items()},
        "recorded_at": utc_now(),
    }
    return bool(insert_new(session, SourceRow, [row], SourceRow.id))
