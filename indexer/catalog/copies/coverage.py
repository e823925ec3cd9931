"""Which images lack what copies are found by."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from indexer.catalog.copies import embeddings, local_features
from indexer.catalog.tables.images import ImageRow


@dataclass(frozen=True, slots=True)
class LackingImage:
    """An image that lacks a copy embedding (`undescribed`), local features (`unfeatured`), or both. `size`: width and
    height of the upright picture; `content`: as of `Image`."""

    image_id: int
    sha256: str
    size: tuple[int, int]
    content: int | None
    undescribed: bool
    unfeatured: bool


def lacking(
    session: Session, descriptor: str | None, features: str | None, *, after: int, limit: int
) -> list[LackingImage]:
    """Up to `limit` images with an id above `after`, by rising id, that lack an embedding by the descriptor or features
    by the method with these fingerprints; None: that is not asked for."""
    undescribed, unfeatured = _conditions(descriptor, features)
    rows = session.execute(
        select(ImageRow.id, ImageRow.sha256, ImageRow.width, ImageRow.height, ImageRow.content, undescribed, unfeatured)
        .where(ImageRow.id > after, or_(undescribed, unfeatured))
        .order_by(ImageRow.id)
        .limit(limit)
    )
    return [LackingImage(row[0], row[1], (row[2], row[3]), row[4], bool(row[5]), bool(row[6])) for row in rows]


def count_lacking(session: Session, descriptor: str | None, features: str | None) -> int:
    """How many images `lacking` gives in all."""
    counted = select(func.count()).select_from(ImageRow).where(or_(*_conditions(descriptor, features)))
    return session.execute(counted).scalar_one()


def _conditions(descriptor: str | None, features: str | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        false() if descriptor is None else embeddings.TABLE.lacks(descriptor),
        false() if features is None else local_features.lacks(features),
    )
