"""Added images not yet checked for a campaign to join. The list is kept in the catalogue, so a process killed in
between misses none.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from indexer.catalog.tables.campaigns import AwaitingCampaignRow
from indexer.catalog.tables.portable import insert_new, one_of

_ROW = AwaitingCampaignRow
_QUIETLY = {"synchronize_session": False}


def add(session: Session, image_ids: Sequence[int]) -> None:
    """Puts images, by internal id, on the list."""
    insert_new(session, AwaitingCampaignRow, [{"image_id": image_id} for image_id in image_ids], _ROW.image_id)


def newest(session: Session, limit: int) -> tuple[int, ...]:
    """Up to `limit` waiting images, by internal id, newest first."""
    return tuple(session.scalars(select(_ROW.image_id).order_by(_ROW.image_id.desc()).limit(limit)))


def among(session: Session, image_ids: Iterable[int]) -> set[int]:
    """Those of these images that wait, by internal id."""
    return set(session.scalars(select(_ROW.image_id).where(one_of(_ROW.image_id, image_ids))))


def done(session: Session, image_ids: Sequence[int]) -> None:
    """Takes images off the list once they have been checked."""
    session.execute(delete(AwaitingCampaignRow).where(one_of(_ROW.image_id, image_ids)), execution_options=_QUIETLY)


def done_up_to(session: Session, image_id: int) -> None:
    """Takes all images up to this internal id off the list, after a clustering run."""
    session.execute(delete(AwaitingCampaignRow).where(_ROW.image_id <= image_id), execution_options=_QUIETLY)


def count(session: Session) -> int:
    """How many images are waiting."""
    return session.execute(select(func.count()).select_from(AwaitingCampaignRow)).scalar_one()
