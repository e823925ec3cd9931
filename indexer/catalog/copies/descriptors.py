"""Copy descriptors used on images of the catalogue, identified by fingerprint alone."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.records.copies import DescriptorEntry
from indexer.catalog.tables.copies import CopyDescriptorRow, CopyEmbeddingRow
from indexer.catalog.tables.portable import insert_new
from indexer.catalog.tables.types import utc_now


def register(session: Session, name: str, fingerprint: str, dimension: int, spec: Mapping[str, Any]) -> int:
    """The internal id of the copy descriptor with this fingerprint, added if new. `spec` is a JSON object kept for
    reference; an existing entry is left unchanged.
    """
    known = select(CopyDescriptorRow.id).where(CopyDescriptorRow.fingerprint == fingerprint)
    descriptor_id = session.execute(known).scalar_one_or_none()
    if descriptor_id is not None:
        return descriptor_id
    row = {
        "name": name,
        "fingerprint": fingerprint,
        "dimension": dimension,
        "spec": dict(spec),
        "added_at": utc_now(),
    }
    return int(insert_new(session, CopyDescriptorRow, [row], CopyDescriptorRow.id)[0])


def list(session: Session) -> tuple[DescriptorEntry, ...]:
    """All copy descriptors in the order they were added, with their numbers of embeddings; one statement."""
    embeddings = (
        select(func.count())
        .where(CopyEmbeddingRow.descriptor_id == CopyDescriptorRow.id)
        .correlate(CopyDescriptorRow)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            CopyDescriptorRow.name,
            CopyDescriptorRow.fingerprint,
            CopyDescriptorRow.dimension,
            embeddings,
            CopyDescriptorRow.added_at,
        ).order_by(CopyDescriptorRow.id)
    )
    return tuple(DescriptorEntry(*row) for row in rows)
