"""How others follow the catalogue: watermarks, the hashes and tombstones since one, and the change counter."""

import numpy as np
import numpy.typing as npt
from sqlalchemy import FromClause, bindparam, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.records import HashBatch, Watermarks
from indexer.catalog.tables import ChangeRow, DetectorRow, EmbeddingRow, ImageRow, TombstoneRow

_THIS_CHANGE = "dejafake_change"
_CHANGES: FromClause = ChangeRow.__table__
_NEWEST = select(func.max(_CHANGES.c.value))
_IMAGES: FromClause = ImageRow.__table__
_HASHES = (  # of the table, not of the mapped class, which takes twice as long: a start reads all
    select(_IMAGES.c.id, _IMAGES.c.pdq, _IMAGES.c.pdq_quality)
    .where(_IMAGES.c.id > bindparam("after"))
    .order_by(_IMAGES.c.id)
    .limit(bindparam("most"))
)


def begin(session: Session) -> None:
    """Count a writing transaction; `Catalog.writing` calls this once, first."""
    counted = update(ChangeRow).values(value=ChangeRow.value + 1).returning(ChangeRow.value)
    session.info[_THIS_CHANGE] = session.execute(counted).scalar_one()


def this_change(session: Session) -> int:
    """The number of the writing transaction that this session is."""
    return int(session.info[_THIS_CHANGE])


def newest(session: Session) -> int:
    """The number of the last writing transaction: as long as it stays, nothing in the catalogue changes."""
    return int(session.execute(_NEWEST).scalar_one() or 0)


def watermarks(session: Session, fingerprint: str) -> Watermarks:
    """The newest ids, `embedding_id` of the detector with this fingerprint; one statement."""
    detector = select(DetectorRow.id).where(DetectorRow.fingerprint == fingerprint).scalar_subquery()
    row = session.execute(
        select(
            select(func.max(EmbeddingRow.id)).where(EmbeddingRow.detector_id == detector).scalar_subquery(),
            select(func.max(ImageRow.id)).scalar_subquery(),
            select(func.max(TombstoneRow.id)).scalar_subquery(),
            select(func.max(ChangeRow.value)).scalar_subquery(),
        )
    ).one()
    return Watermarks(*(value or 0 for value in row))


def hashes_since(session: Session, after_image_id: int, limit: int) -> HashBatch:
    """PDQ hashes of up to `limit` images added after `after_image_id`, in the order they were added."""
    image_ids: list[int] = []
    hashes: list[bytes] = []
    qualities: list[int] = []
    for image_id, pdq, quality in session.execute(_HASHES, {"after": after_image_id, "most": limit}):
        image_ids.append(image_id)
        hashes.append(pdq)
        qualities.append(quality)
    return HashBatch(
        image_ids=np.array(image_ids, dtype=np.int64),
        hashes=np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 32).copy(),
        qualities=np.array(qualities, dtype=np.int16),
    )


def tombstones_since(session: Session, after_tombstone_id: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Tombstone ids [N] and the ids [N] of the images that were deleted, in the order they were."""
    rows = session.execute(
        select(TombstoneRow.id, TombstoneRow.image_id)
        .where(TombstoneRow.id > after_tombstone_id)
        .order_by(TombstoneRow.id)
    ).all()
    pairs = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()
