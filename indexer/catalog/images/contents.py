"""Images added by older versions whose content (how much there is to compare them by) was not measured yet."""

from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from indexer.catalog.tables.images import ImageRow


def unmeasured(session: Session, *, after: int, limit: int) -> list[tuple[int, str]]:
    """Internal id and SHA-256 of up to `limit` images without a content value, by rising id after `after`."""
    lacking = ImageRow.id > after, ImageRow.content.is_(None)
    rows = session.execute(select(ImageRow.id, ImageRow.sha256).where(*lacking).order_by(ImageRow.id).limit(limit))
    return [(row.id, row.sha256) for row in rows]


def put(session: Session, contents: Mapping[int, int]) -> None:
    """Store the content (0 to 100) of images, by internal id."""
    for image_id, content in contents.items():
        session.execute(update(ImageRow).where(ImageRow.id == image_id).values(content=content))
