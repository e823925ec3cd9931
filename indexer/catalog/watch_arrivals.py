"""What came into the catalogue since a watch was last looked at."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Select, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.filters import conditions
from indexer.catalog.portable import one_of
from indexer.catalog.records import ImageFilter
from indexer.catalog.tables import CampaignMemberRow, DetectorRow, EmbeddingRow, ImageRow
from indexer.catalog.watch_records import Arrival, Joined, LookingWatch, WatchedPicture, WatchKind
from indexer.catalog.watch_tables import WatchedMemberRow, WatchRow
from indexer.catalog.watches import FILTERS


def anything(session: Session, fingerprint: str) -> bool:
    """Whether any watch that is not paused has something to look at; two statements."""
    newest_image = select(func.coalesce(func.max(ImageRow.id), 0)).scalar_subquery()
    detector = select(DetectorRow.id).where(DetectorRow.fingerprint == fingerprint).scalar_subquery()
    newest_embedding = select(func.coalesce(func.max(EmbeddingRow.id), 0)).where(EmbeddingRow.detector_id == detector)
    behind = or_(
        and_(WatchRow.kind != WatchKind.CAMPAIGN, WatchRow.image_after < newest_image),
        and_(WatchRow.fingerprint == fingerprint, WatchRow.embedding_after < newest_embedding.scalar_subquery()),
    )
    if session.execute(select(WatchRow.id).where(WatchRow.paused_at.is_(None), behind).limit(1)).first():
        return True
    return session.execute(_joined().where(WatchRow.paused_at.is_(None)).limit(1)).first() is not None


def looking(session: Session) -> tuple[LookingWatch, ...]:
    """All watches that are not paused."""
    rows = session.scalars(select(WatchRow).where(WatchRow.paused_at.is_(None)).order_by(WatchRow.id))
    return tuple(
        LookingWatch(
            id=row.id,
            picture=_picture(row),
            campaign=row.campaign_id,
            filter=None if row.filter is None else FILTERS.validate_python(row.filter),
            began_after=row.began_after,
            image_after=row.image_after,
            embedding_after=row.embedding_after,
        )
        for row in rows
    )


def images_after(session: Session, after: int, limit: int) -> tuple[Arrival, ...]:
    """Up to `limit` images that came after an internal id, in their order."""
    rows = session.execute(_arrivals().where(ImageRow.id > after).order_by(ImageRow.id).limit(limit))
    return tuple(Arrival(*row) for row in rows)


def images(session: Session, image_ids: Iterable[int]) -> tuple[Arrival, ...]:
    """These images, in the order they came; those that are gone are left out."""
    rows = session.execute(_arrivals().where(one_of(ImageRow.id, image_ids)).order_by(ImageRow.id))
    return tuple(Arrival(*row) for row in rows)


def meeting(session: Session, wanted: ImageFilter, image_ids: Sequence[int]) -> tuple[Arrival, ...]:
    """Those of these images that meet a filter, in the order they came."""
    among = _arrivals().where(one_of(ImageRow.id, image_ids), *conditions(wanted))
    return tuple(Arrival(*row) for row in session.execute(among.order_by(ImageRow.id)))


def join(session: Session, watch_id: str, limit: int) -> tuple[Joined, ...]:
    """Up to `limit` members of the watched campaign that its watch does not know; it knows them from now on."""
    rows = session.execute(_joined().where(WatchRow.id == watch_id).order_by(ImageRow.id).limit(limit)).all()
    if rows:
        session.execute(insert(WatchedMemberRow), [{"watch_id": watch_id, "image_id": row.id} for row in rows])
    return tuple(Joined(row.id, row.sha256, row.strength, tuple(row.reasons)) for row in rows)


def advance(session: Session, watch_id: str, *, image_after: int, embedding_after: int) -> None:
    """Record how far a watch has been looked at."""
    reached = update(WatchRow).where(WatchRow.id == watch_id)
    session.execute(reached.values(image_after=image_after, embedding_after=embedding_after))


def _arrivals() -> Select[int, str, bytes, int]:
    return select(ImageRow.id, ImageRow.sha256, ImageRow.pdq, ImageRow.pdq_quality)


def _joined() -> Select[int, str, float, list[str]]:
    known = and_(WatchedMemberRow.watch_id == WatchRow.id, WatchedMemberRow.image_id == CampaignMemberRow.image_id)
    member = CampaignMemberRow
    return (
        select(ImageRow.id, ImageRow.sha256, member.strength, member.reasons)
        .select_from(WatchRow)
        .join(member, member.campaign_id == WatchRow.campaign_id)
        .join(ImageRow, ImageRow.id == member.image_id)
        .outerjoin(WatchedMemberRow, known)
        .where(WatchedMemberRow.image_id.is_(None))
    )


def _picture(row: WatchRow) -> WatchedPicture | None:
    if row.sha256 is None:
        return None
    hashes = tuple((name, bytes.fromhex(bits)) for name, bits in row.hashes or ())
    return WatchedPicture(row.sha256, hashes, row.pdq_quality or 0, row.fingerprint, row.vector)
