"""How caches follow the catalogue: watermarks, hashes and tombstones since a watermark, and change counters. One
counter counts every writing transaction; a second counts only those that may change what a filter selects, so that
cached filter results survive unrelated writes.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from sqlalchemy import FromClause, Row, TextClause, UpdateBase, bindparam, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import Executable

from indexer.catalog.images.filters import FILTERED_TABLES
from indexer.catalog.records.changes import ChangeMarks
from indexer.catalog.records.detections import HashBatch, Watermarks
from indexer.catalog.tables.changes import ChangeRow
from indexer.catalog.tables.deletions import TombstoneRow
from indexer.catalog.tables.images import ImageRow

_THIS_CHANGE = "dejafake_change"
_CHANGES: FromClause = ChangeRow.__table__
_NEWEST = select(func.max(_CHANGES.c.value), func.max(_CHANGES.c.filters))
_IMAGES: FromClause = ImageRow.__table__
_WATERMARKS = select(
    select(func.max(ImageRow.id)).scalar_subquery(),
    select(func.max(TombstoneRow.id)).scalar_subquery(),
    select(func.max(ChangeRow.value)).scalar_subquery(),
    select(func.max(ChangeRow.filters)).scalar_subquery(),
)
_HASH_COLUMNS = (_IMAGES.c.id, _IMAGES.c.pdq, _IMAGES.c.pdq_quality)
_HASHES = (  # the table instead of the mapped class, which takes twice as long: a start reads all rows
    select(*_HASH_COLUMNS).where(_IMAGES.c.id > bindparam("after")).order_by(_IMAGES.c.id).limit(bindparam("most"))
)
_CHANGED = select(*_HASH_COLUMNS).where(_IMAGES.c.pdq_changed > bindparam("after")).order_by(_IMAGES.c.id)


def begin(session: Session) -> None:
    """Count a writing transaction; `Catalog.writing` calls this once, first."""
    counted = update(ChangeRow).values(value=ChangeRow.value + 1).returning(ChangeRow.value)
    session.info[_THIS_CHANGE] = session.execute(counted).scalar_one()


def concerns_filters(statement: Executable) -> bool:
    """Whether a statement of a writing transaction can change what a filter selects."""
    if isinstance(statement, UpdateBase):
        return getattr(statement.table, "name", None) in FILTERED_TABLES
    return isinstance(statement, TextClause)  # what it writes is unknown


def count_for_filters(session: Session) -> None:
    """Count this writing transaction as one that may change what a filter selects; `Catalog.writing` calls this
    last.
    """
    session.execute(update(ChangeRow).values(filters=ChangeRow.value))


def this_change(session: Session) -> int:
    """The number of this session's writing transaction."""
    return int(session.info[_THIS_CHANGE])


def newest(session: Session) -> ChangeMarks:
    """How often the catalogue was written: while `change_id` stays the same, nothing has changed; one statement."""
    value, filters = session.execute(_NEWEST).one()
    return ChangeMarks(int(value or 0), int(filters or 0))


def watermarks(session: Session) -> Watermarks:
    """The newest ids; one statement."""
    return Watermarks(*(value or 0 for value in session.execute(_WATERMARKS).one()))


def newest_tombstone(session: Session) -> int:
    """The newest tombstone id, 0 when there is none."""
    return session.execute(select(func.max(TombstoneRow.id))).scalar_one() or 0


def hashes_since(session: Session, after_image_id: int, limit: int) -> HashBatch:
    """PDQ hashes of up to `limit` images added after `after_image_id`, in the order they were added."""
    return _batch(session.execute(_HASHES, {"after": after_image_id, "most": limit}))


def hashes_changed(session: Session, after_change: int) -> HashBatch:
    """PDQ hashes of the images whose hash was replaced after this value of the change counter."""
    return _batch(session.execute(_CHANGED, {"after": after_change}))


def _batch(rows: Iterable[Row[int, bytes, int]]) -> HashBatch:
    image_ids: list[int] = []
    hashes: list[bytes] = []
    qualities: list[int] = []
    for image_id, pdq, quality in rows:
        image_ids.append(image_id)
        hashes.append(pdq)
        qualities.append(quality)
    return HashBatch(
        image_ids=np.array(image_ids, dtype=np.int64),
        hashes=np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 32).copy(),
        qualities=np.array(qualities, dtype=np.int16),
    )


def tombstones_since(session: Session, after_tombstone_id: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Tombstone ids [N] and ids [N] of the deleted images, in the order of deletion."""
    rows = session.execute(
        select(TombstoneRow.id, TombstoneRow.image_id)
        .where(TombstoneRow.id > after_tombstone_id)
        .order_by(TombstoneRow.id)
    ).all()
    pairs = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()
