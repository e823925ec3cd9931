"""What was added to the catalogue since a watch was last checked."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.campaigns import reasons as campaign_reasons
from indexer.catalog.images.filters import conditions
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.watches import Arrival, Joined, LookingWatch, WatchedPicture, WatchKind
from indexer.catalog.tables.campaigns import CampaignMemberRow
from indexer.catalog.tables.detections import DetectorRow, EmbeddingRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import insert_new, one_of
from indexer.catalog.tables.watches import WatchedMemberRow, WatchRow
from indexer.catalog.watches.watches import FILTERS
from indexer.imaging.hashing import QueryHash

_OLD_SIDE = 512
"""What watches made by versions up to 0.1.0, which kept no side, were hashed at."""


def anything(session: Session, fingerprint: str) -> bool:
    """Whether any watch that is not paused has something to check; two statements."""
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


def looking_ids(session: Session) -> tuple[str, ...]:
    """The ids of all watches that are not paused."""
    return tuple(session.scalars(select(WatchRow.id).where(WatchRow.paused_at.is_(None)).order_by(WatchRow.id)))


def looking(session: Session, ids: Sequence[str]) -> tuple[LookingWatch, ...]:
    """Those of these watches that are not paused."""
    active = (one_of(WatchRow.id, ids), WatchRow.paused_at.is_(None))
    rows = session.scalars(select(WatchRow).where(*active).order_by(WatchRow.id))
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
    """Up to `limit` images added after an internal id, in order."""
    rows = session.execute(_arrivals().where(ImageRow.id > after).order_by(ImageRow.id).limit(limit))
    return tuple(Arrival(*row) for row in rows)


def images(session: Session, image_ids: Iterable[int]) -> tuple[Arrival, ...]:
    """These images, in the order they were added; deleted ones are left out."""
    rows = session.execute(_arrivals().where(one_of(ImageRow.id, image_ids)).order_by(ImageRow.id))
    return tuple(Arrival(*row) for row in rows)


def meeting(session: Session, image_filter: ImageFilter, image_ids: Sequence[int]) -> tuple[Arrival, ...]:
    """Which of the given images meet a filter, in the order they were added."""
    among = _arrivals().where(one_of(ImageRow.id, image_ids), *conditions(image_filter))
    return tuple(Arrival(*row) for row in session.execute(among.order_by(ImageRow.id)))


def joined(session: Session, watch_id: str, limit: int) -> tuple[Joined, ...]:
    """Up to `limit` members of the watched campaign that the watch does not know yet."""
    rows = session.execute(_joined().where(WatchRow.id == watch_id).order_by(ImageRow.id).limit(limit)).all()
    why = campaign_reasons.of_images(session, [row.id for row in rows])
    return tuple(Joined(row.id, row.sha256, row.strength, why.get(row.id, ())) for row in rows)


def know(session: Session, watch_id: str, image_ids: Sequence[int]) -> set[int]:
    """Record members of its campaign as known to a watch. Left out are those already known or no longer members, and
    all of them if the watch was paused or deleted in the meantime.

    Returns:
        The ids that were new to it.
    """
    still = _joined().where(WatchRow.id == watch_id, WatchRow.paused_at.is_(None), one_of(ImageRow.id, image_ids))
    rows = [{"watch_id": watch_id, "image_id": row.id} for row in session.execute(still)]
    return set(insert_new(session, WatchedMemberRow, rows, WatchedMemberRow.image_id))


def advance(session: Session, watch: LookingWatch, *, image_after: int, embedding_after: int) -> bool:
    """Record how far a watch has been checked.

    Returns:
        Whether it was recorded: not if the watch has advanced, been paused or been deleted in the meantime.
    """
    unchanged = (WatchRow.image_after == watch.image_after, WatchRow.embedding_after == watch.embedding_after)
    reached = update(WatchRow).where(WatchRow.id == watch.id, WatchRow.paused_at.is_(None), *unchanged)
    moved = reached.values(image_after=image_after, embedding_after=embedding_after).returning(WatchRow.id)
    return session.execute(moved).first() is not None


def _arrivals() -> Select[int, str, bytes, int, int | None]:
    return select(ImageRow.id, ImageRow.sha256, ImageRow.pdq, ImageRow.pdq_quality, ImageRow.content)


def _joined() -> Select[int, str, float]:
    known = and_(WatchedMemberRow.watch_id == WatchRow.id, WatchedMemberRow.image_id == CampaignMemberRow.image_id)
    member = CampaignMemberRow
    return (
        select(ImageRow.id, ImageRow.sha256, member.strength)
        .select_from(WatchRow)
        .join(member, member.campaign_id == WatchRow.campaign_id)
        .join(ImageRow, ImageRow.id == member.image_id)
        .outerjoin(WatchedMemberRow, known)
        .where(WatchedMemberRow.image_id.is_(None))
    )


def _picture(row: WatchRow) -> WatchedPicture | None:
    if row.sha256 is None:
        return None
    hashes = tuple(_hash(*kept) for kept in row.hashes or ())
    return WatchedPicture(
        sha256=row.sha256,
        hashes=hashes,
        pdq_quality=row.pdq_quality or 0,
        fingerprint=row.fingerprint,
        vector=row.vector,
        features=row.features,
        features_fingerprint=row.features_fingerprint,
    )


def _hash(orientation: str, bits: str, resized_to: int | None = _OLD_SIDE) -> QueryHash:
    return QueryHash(orientation, bytes.fromhex(bits), resized_to)
