"""Files of deleted images that are still to be removed. The deletion records them in its own transaction, so that no
crash leaves an untracked picture on disk.
"""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from indexer.catalog.tables.deletions import FileRemovalRow
from indexer.catalog.tables.portable import insert_new, one_of
from indexer.catalog.tables.types import utc_now


def record(session: Session, sha256: str) -> None:
    """Record that the files of this image are to be removed."""
    row = {"sha256": sha256, "recorded_at": utc_now()}
    insert_new(session, FileRemovalRow, [row], FileRemovalRow.sha256)


def forget(session: Session, sha256s: Sequence[str]) -> None:
    """Forget files that were removed, or whose images were added again."""
    gone = delete(FileRemovalRow).where(one_of(FileRemovalRow.sha256, sha256s))
    session.execute(gone, execution_options={"synchronize_session": False})


def pending(session: Session, after: str = "", limit: int = 500) -> tuple[str, ...]:
    """SHA-256 of images whose files are to be removed, sorted."""
    statement = select(FileRemovalRow.sha256).where(FileRemovalRow.sha256 > after)
    return tuple(session.scalars(statement.order_by(FileRemovalRow.sha256).limit(limit)))


def still_pending(session: Session, sha256s: Sequence[str]) -> tuple[str, ...]:
    """Which of the given images have files still to be removed."""
    return tuple(session.scalars(select(FileRemovalRow.sha256).where(one_of(FileRemovalRow.sha256, sha256s))))


def count(session: Session) -> int:
    """How many images have files still to be removed."""
    return session.execute(select(func.count()).select_from(FileRemovalRow)).scalar_one()
