"""Named queries on a table of embeddings, which detectors and copy descriptors each have one of: one vector an image
and a maker, which is named by its fingerprint. Embedding ids rise in the order of adding and are never used twice.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from sqlalchemy import BindParameter, ColumnElement, FromClause, bindparam, exists, func, select
from sqlalchemy.orm import DeclarativeBase, Session

from indexer.catalog.records.detections import EmbeddingBatch
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import among, one_of
from indexer.errors import CatalogError, UsageError

_NORM_TOLERANCE = 1e-2


class VectorTable:
    """The embeddings of one kind of maker.

    Args:
        rows: the table of embeddings, with `id`, `image_id` and `vector`.
        makers: the table of makers, with `id` and `fingerprint`.
        maker: the column of `rows` that names the maker.
    """

    def __init__(self, rows: type[DeclarativeBase], makers: type[DeclarativeBase], maker: str) -> None:
        # the tables instead of the mapped classes, which take twice as long
        self.rows: FromClause = rows.__table__
        self._makers: FromClause = makers.__table__
        self._maker = maker
        columns = self.rows.c
        self._vectors = select(columns.image_id, columns.vector).where(  # built once: every search asks it
            among(columns.image_id, "ids"), self.made_by(bindparam("fingerprint"))
        )
        self._newest = select(func.max(columns.id)).where(self.made_by(bindparam("fingerprint")))

    rows: FromClause
    makers: FromClause
    maker: str

    def since(self, session: Session, fingerprint: str, after: int, limit: int, dimension: int) -> EmbeddingBatch:
        """Up to `limit` embeddings added after the embedding id `after`, in the order they were added.

        Raises:
            CatalogError: one does not have `dimension` numbers.
        """
        columns = self.rows.c
        asked = (
            select(columns.id, columns.image_id, columns.vector)
            .where(self.made_by(fingerprint), columns.id > after)
            .order_by(columns.id)
            .limit(limit)
        )
        rows = session.execute(asked).all()
        for row in rows:
            if len(row[2]) != dimension:
                raise CatalogError(
                    f"the {self.rows.description} of image {row[1]} has {len(row[2])} numbers, not {dimension}: "
                    "the catalogue is damaged; restore it from a backup, or delete that image and ingest it again"
                )
        return EmbeddingBatch(
            embedding_ids=np.array([row[0] for row in rows], dtype=np.int64),
            image_ids=np.array([row[1] for row in rows], dtype=np.int64),
            vectors=np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, dimension),
        )

    def vectors(
        self, session: Session, fingerprint: str, image_ids: Iterable[int]
    ) -> dict[int, npt.NDArray[np.float32]]:
        """The vectors [D] of the given images, where they have one."""
        asked = {"ids": [int(image_id) for image_id in image_ids], "fingerprint": fingerprint}
        return {row[0]: row[1] for row in session.execute(self._vectors, asked)}

    def having(self, session: Session, fingerprint: str, image_ids: Iterable[int]) -> set[int]:
        """Which of the given images have an embedding."""
        column = self.rows.c.image_id
        return set(
            session.execute(select(column).where(one_of(column, image_ids), self.made_by(fingerprint))).scalars()
        )

    def count(self, session: Session, fingerprint: str) -> int:
        """How many embeddings there are."""
        counted = select(func.count()).select_from(self.rows).where(self.made_by(fingerprint))
        return session.execute(counted).scalar_one()

    def lacking(self, session: Session, fingerprint: str, *, after: int, limit: int) -> list[tuple[int, str]]:
        """Internal id and SHA-256 of up to `limit` images with an id above `after` that have no embedding, by rising
        id."""
        lacking = select(ImageRow.id, ImageRow.sha256).where(ImageRow.id > after, self.lacks(fingerprint))
        rows = session.execute(lacking.order_by(ImageRow.id).limit(limit))
        return [(row[0], row[1]) for row in rows]

    def count_lacking(self, session: Session, fingerprint: str) -> int:
        """How many images have no embedding."""
        counted = select(func.count()).select_from(ImageRow).where(self.lacks(fingerprint))
        return session.execute(counted).scalar_one()

    def ids_of_both(self, session: Session, a: str, b: str) -> npt.NDArray[np.int64]:
        """Internal ids [N], rising, of the images that have embeddings by both makers, by fingerprint."""
        column = self.rows.c.image_id
        other = select(column).where(self.made_by(b))
        both = select(column).where(self.made_by(a), column.in_(other)).order_by(column)
        return np.fromiter(session.execute(both).scalars(), np.int64)

    def newest_id(self, session: Session, fingerprint: str) -> int:
        """The newest embedding id, 0 when there is none."""
        return session.execute(self._newest, {"fingerprint": fingerprint}).scalar_one() or 0

    def lacks(self, fingerprint: str) -> ColumnElement[bool]:
        """The condition that an image has no embedding."""
        return ~exists().where(self.rows.c.image_id == ImageRow.id, self.made_by(fingerprint))

    def made_by(self, fingerprint: str | BindParameter[str]) -> ColumnElement[bool]:
        """The condition that an embedding is of the maker with this fingerprint."""
        makers = self._makers.c
        maker = select(makers.id).where(makers.fingerprint == fingerprint).scalar_subquery()
        condition: ColumnElement[bool] = self.rows.c[self._maker] == maker
        return condition


def checked(vector: npt.NDArray[np.float32], dimension: int) -> npt.NDArray[np.float32]:
    """`vector` as float32.

    Raises:
        UsageError: it is not [dimension], finite and of length 1.
    """
    values = np.asarray(vector, dtype=np.float32)
    if values.shape != (dimension,):
        raise UsageError(f"an embedding has the shape [{dimension}], not {list(values.shape)}")
    if not abs(float(np.linalg.norm(values)) - 1) < _NORM_TOLERANCE:
        raise UsageError("an embedding must be finite and L2-normalised")
    return values
