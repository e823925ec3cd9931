"""Detectors that looked at images of the catalogue, told apart by fingerprint alone."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.portable import insert_new
from indexer.catalog.records import DetectorEntry
from indexer.catalog.tables import DetectorRow, EmbeddingRow
from indexer.catalog.types import utc_now


def register(session: Session, name: str, fingerprint: str, trained: bool, spec: Mapping[str, Any]) -> int:
    """The internal id of the detector with this fingerprint, which is added when it is new.

    `spec` is a JSON object for people to read back; an entry already there is left as it is.
    """
    row = {
        "name": name,
        "fingerprint": fingerprint,
        "trained": trained,
        "spec": dict(spec),
        "added_at": utc_now(),
    }
    known = select(DetectorRow.id).where(DetectorRow.fingerprint == fingerprint)
    found = session.execute(known).scalar_one_or_none()
    return insert_new(session, DetectorRow, [row], DetectorRow.id)[0] if found is None else found


def list(session: Session) -> tuple[DetectorEntry, ...]:
    """All detectors in the order they came, with the number of their embeddings; one statement."""
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
