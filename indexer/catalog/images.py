"""Images: adding, finding, paging, counting and deleting them."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import String, cast, func, insert, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from indexer.catalog import campaign_events, cursors
from indexer.catalog.campaign_records import NewEvent
from indexer.catalog.details import DETAILS_BY_ID, DETAILS_BY_SHA256, IMAGE_COLUMNS, details_of, image_of
from indexer.catalog.filters import conditions
from indexer.catalog.labels import UNLABELLED
from indexer.catalog.newest import newest_ids
from indexer.catalog.portable import insert_new, one_of
from indexer.catalog.records import CatalogCounts, Image, ImageDetails, ImageFilter, KnownImage, NewImage, Page
from indexer.catalog.tables import (
    CampaignMemberRow,
    CampaignRow,
    CollectionImageRow,
    CollectionRow,
    EmbeddingRow,
    ImageRow,
    SightingRow,
    TombstoneRow,
)
from indexer.catalog.types import clean_text, utc_now
from indexer.vocabulary import CampaignEventKind, LabelValue


def add(session: Session, image: NewImage) -> int:
    """The internal id of an image, which is added, without a label, when it is new."""
    row = {
        "sha256": image.sha256,
        "byte_size": image.byte_size,
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "mode": image.mode,
        "frames": image.frames,
        "notes": [clean_text(note) for note in image.notes],
        "pdq": image.pdq,
        "pdq_quality": image.pdq_quality,
        "pdq_method": image.pdq_method,
        "added_at": utc_now(),
        "label": UNLABELLED.value,
        "technique": UNLABELLED.technique,
        "generator": UNLABELLED.generator,
        "disputed": UNLABELLED.disputed,
        "label_source_kind": UNLABELLED.source_kind,
        "label_source": UNLABELLED.source,
        "provenance_read_at": None,
    }
    known = session.execute(select(ImageRow.id).where(ImageRow.sha256 == image.sha256)).scalar_one_or_none()
    if known is not None:
        return known
    return int(insert_new(session, ImageRow, [row], ImageRow.id)[0])


def find_ids(session: Session, sha256s: Sequence[str]) -> dict[str, int]:
    """The internal ids of those of these images that are in the catalogue, by SHA-256; one statement."""
    rows = session.execute(select(ImageRow.sha256, ImageRow.id).where(one_of(ImageRow.sha256, sha256s)))
    return {row[0]: row[1] for row in rows}


def starting_with(session: Session, start: str, *, limit: int = 2) -> tuple[str, ...]:
    """The SHA-256 of up to `limit` images whose digest starts with these lower-case hex digits, in their order."""
    # all hex digits come before g: the range is the prefix, and the index serves it
    prefix = (ImageRow.sha256 >= start, ImageRow.sha256 < f"{start}g")
    found = select(ImageRow.sha256).where(*prefix).order_by(ImageRow.sha256).limit(limit)
    return tuple(session.scalars(found))


def get(session: Session, sha256: str) -> ImageDetails | None:
    """Everything about one image; one statement."""
    found = known(session, sha256)
    return None if found is None else found.details


def known(session: Session, sha256: str) -> KnownImage | None:
    """One image and its internal id; one statement."""
    rows = session.execute(DETAILS_BY_SHA256, {"sha256": sha256}).all()
    return next((KnownImage(row.id, found) for row, found in zip(rows, details_of(rows), strict=True)), None)


def details(session: Session, image_ids: Sequence[int]) -> dict[int, ImageDetails]:
    """Everything about these images, by internal id, in the order asked for; one statement. Ids that are not in the
    catalogue (any more) are left out."""
    if not image_ids:
        return {}
    rows = session.execute(DETAILS_BY_ID, {"ids": [int(image_id) for image_id in image_ids]}).all()
    found = {row.id: known for row, known in zip(rows, details_of(rows), strict=True)}
    return {int(image_id): found[image_id] for image_id in image_ids if image_id in found}


def page(session: Session, wanted: ImageFilter, *, limit: int, cursor: str | None = None) -> Page[Image]:
    """Images that meet a filter, newest first; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    (before,) = cursors.decode("images", cursor, int) or (2**63 - 1,)
    statement = select(*IMAGE_COLUMNS).order_by(ImageRow.id.desc()).limit(limit + 1)
    if session.get_bind().dialect.name == "sqlite":
        statement = statement.where(ImageRow.id.in_(newest_ids(wanted, before, limit + 1)))
    else:
        statement = statement.where(ImageRow.id < before, *conditions(wanted))
    rows = session.execute(statement).all()
    more = cursors.encode("images", rows[limit - 1].id) if len(rows) > limit else None
    return Page(tuple(image_of(row) for row in rows[:limit]), more)


def matching_ids(session: Session, wanted: ImageFilter) -> npt.NDArray[np.int64]:
    """The internal ids [N] of all images that meet a filter, rising."""
    # as one text: a million rows of one number each take ten times as long
    joined = func.aggregate_strings(cast(ImageRow.id, String), ",")
    ids = session.execute(select(joined).where(*conditions(wanted))).scalar_one()
    return np.sort(np.fromstring(ids or "", dtype=np.int64, sep=","))


def by_digest(session: Session, wanted: ImageFilter, at_once: int) -> Iterator[list[int]]:
    """Internal ids of the images that meet a filter, in the order of their SHA-256, `at_once` at a time."""
    matching = matching_ids(session, wanted)  # eight bytes an image
    waiting: list[int] = []
    after = ""
    while True:
        following = select(ImageRow.id, ImageRow.sha256).where(ImageRow.sha256 > after)
        some = session.execute(following.order_by(ImageRow.sha256).limit(at_once)).all()
        if not some:
            break
        after = some[-1].sha256
        ids = np.array([row.id for row in some])
        waiting += ids[np.isin(ids, matching, assume_unique=True)].tolist()
        while len(waiting) >= at_once:
            yield waiting[:at_once]
            waiting = waiting[at_once:]
    if waiting:
        yield waiting


def delete(session: Session, sha256: str, reason: str) -> bool:
    """Delete an image with everything that hangs on it and leave a tombstone.

    Returns:
        Whether it was there.
    """
    image_id = session.execute(select(ImageRow.id).where(ImageRow.sha256 == sha256)).scalar_one_or_none()
    if image_id is None:
        return False
    collections = select(CollectionImageRow.collection_id).where(CollectionImageRow.image_id == image_id)
    session.execute(
        update(CollectionRow).where(CollectionRow.id.in_(collections)).values(images=CollectionRow.images - 1),
        execution_options={"synchronize_session": False},
    )
    campaigns = select(CampaignMemberRow.campaign_id).where(CampaignMemberRow.image_id == image_id)
    left = session.execute(
        update(CampaignRow)
        .where(CampaignRow.id.in_(campaigns))
        .values(size=CampaignRow.size - 1)
        .returning(CampaignRow.id, CampaignRow.name, CampaignRow.size),
        execution_options={"synchronize_session": False},
    ).all()
    campaign_events.add(session, [_left(*campaign) for campaign in left])
    session.execute(sql_delete(ImageRow).where(ImageRow.id == image_id))
    session.execute(sql_delete(CampaignRow).where(CampaignRow.size == 0))
    buried = {"image_id": image_id, "sha256": sha256, "reason": clean_text(reason), "deleted_at": utc_now()}
    session.execute(insert(TombstoneRow).values(**buried))
    return True


def _left(campaign: str, name: str, size: int) -> NewEvent:
    """What happened to a campaign that an image was deleted from."""
    if size:
        return NewEvent(campaign, CampaignEventKind.SHRANK, name, size, removed=1)
    return NewEvent(campaign, CampaignEventKind.DIED, name, 1, removed=1)


def counts(session: Session) -> CatalogCounts:
    """How much there is of everything; one statement."""

    def labelled(value: LabelValue) -> object:
        return select(func.count()).where(ImageRow.label == value).scalar_subquery()

    row = session.execute(
        select(
            select(func.count()).select_from(ImageRow).scalar_subquery(),
            labelled(LabelValue.FAKE),  # type: ignore[call-overload]
            labelled(LabelValue.AUTHENTIC),
            labelled(LabelValue.UNKNOWN),
            select(func.count()).where(ImageRow.label == LabelValue.UNKNOWN, ImageRow.disputed).scalar_subquery(),
            select(func.count()).select_from(SightingRow).scalar_subquery(),
            select(func.count()).select_from(CollectionRow).scalar_subquery(),
            select(func.count()).select_from(CampaignRow).scalar_subquery(),
            select(func.count()).select_from(EmbeddingRow).scalar_subquery(),
        )
    ).one()
    return CatalogCounts(*row)
