"""Which images should have files beside the catalogue, in the order of their SHA-256."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.catalog.tables.sources import SourceRow


@dataclass(frozen=True, slots=True)
class KeptImage:
    """An image, and whether its original was kept when it was added."""

    sha256: str
    original_kept: bool


def page(session: Session, after: str, limit: int, *, unsure: bool) -> tuple[KeptImage, ...]:
    """Up to `limit` images above the SHA-256 `after`. `unsure`: the value for images where an older version recorded
    nothing; images imported from a bundle had no original.
    """
    by_bundle = exists().where(SourceRow.image_id == ImageRow.id, SourceRow.location == ImageRow.sha256)
    rows = session.execute(
        select(ImageRow.sha256, ImageRow.original_kept, by_bundle)
        .where(ImageRow.sha256 > after)
        .order_by(ImageRow.sha256)
        .limit(limit)
    )
    return tuple(
        KeptImage(sha256, (unsure and not bundled) if kept is None else kept) for sha256, kept, bundled in rows
    )


def held(session: Session, sha256s: Sequence[str]) -> set[str]:
    """Which of the given images the catalogue holds."""
    return set(session.scalars(select(ImageRow.sha256).where(one_of(ImageRow.sha256, sha256s))))
