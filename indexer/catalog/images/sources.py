"""Where the bytes of an image came from. The same location in the same source is stored once."""

from hashlib import sha256

from sqlalchemy.orm import Session

from indexer.catalog.records.sources import NewSource
from indexer.catalog.tables.portable import insert_new
from indexer.catalog.tables.sources import SourceRow
from indexer.catalog.tables.types import canonical_json, clean_text, utc_now


def add(session: Session, image_id: int, source: NewSource) -> bool:
    """Record where an image was ingested from; the fields of the first time are kept.

    Returns:
        Whether it was new.
    """
    key = [clean_text(source.source), clean_text(source.location)]
    row = {
        "image_id": image_id,
        "digest": sha256(canonical_json(key).encode()).digest(),
        "source": key[0],
        "location": key[1],
        "fields": {clean_text(name): clean_text(value) for name, value in source.fields.items()},
        "recorded_at": utc_now(),
    }
    return bool(insert_new(session, SourceRow, [row], SourceRow.id))
