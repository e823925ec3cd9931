"""Detectors used on images of the catalogue, identified by fingerprint alone."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.records.detections import DetectorEntry
from indexer.catalog.tables.detections import DetectorRow, EmbeddingRow
from indexer.catalog.tables.portable import insert_new
from indexer.catalog.tables.types import utc_now


def register(session: Session, name: str, fingerprint: str, trained: bool, spec: Mapping[str, Any]) -> int:
    """The internal id of the detector with this fingerprint, added if new. `spec` is a JSON object kept for reference;
    an existing entry is left unchanged.
    """
    row = {
        "name": name,
        "fingerprint": fingerprint,
        "trained": trained,
        "spec": dict(spec),
        "added_at": utc_now(),
    }
    known = select(DetectorRow.id).where(DetectorRow.fingerprint == fingerprint)
    detector_id = session.execute(known).scalar_one_or_none()
    return insert_new(session, DetectorRow, [row], DetectorRow.id)[0] if detector_id is None else detector_id


def list(session: Session) -> tuple[DetectorEntry, ...]:
    """All detectors in the order they were added, with their numbers of embeddings; one statement."""
    embeddings = (
        select(func.count()).where(EmbeddingRow.detector_id == DetectorRow.id).correlate(DetectorRow).scalar_subquery()
    )
    rows = session.execute(
        select(
            DetectorRow.name,
            DetectorRow.fingerprint,
            DetectorRow.trained,
            DetectorRow.spec,
            embeddings,
            DetectorRow.added_at,
        ).order_by(DetectorRow.id)
    )
    return tuple(DetectorEntry(*row) for row in rows)
