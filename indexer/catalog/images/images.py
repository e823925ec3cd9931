"""Images: adding, finding, paging, counting and deleting them."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import String, cast, func, insert, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from indexer.catalog.campaigns import departures as campaign_departures
from indexer.catalog.cursors import PageRequest
from indexer.catalog.images import file_removals
from indexer.catalog.images.details import DETAILS_BY_ID, DETAILS_BY_SHA256, IMAGE_COLUMNS, details_of, image_of
from indexer.catalog.images.filters import conditions, has_content
from indexer.catalog.images.labels import UNLABELLED
from indexer.catalog.images.newest import newest_ids
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import CatalogCounts, Image, ImageDetails, KnownImage, NewImage
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.campaigns import CampaignRow
from indexer.catalog.tables.collections import CollectionImageRow, CollectionRow
from indexer.catalog.tables.deletions import TombstoneRow
from indexer.catalog.tables.detections import EmbeddingRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import insert_new, one_of
from indexer.catalog.tables.sightings import SightingRow
from indexer.catalog.tables.types import clean_text, utc_now
from indexer.imaging.content import TOO_LITTLE
from indexer.imaging.file_facts import file_facts
from indexer.vocabulary import LabelValue


def add(session: Session, image: NewImage) -> int:
    """The internal id of an image, which is added without a label if it is new."""
    row = {
        **file_facts(image),
        "notes": [clean_text(note) for note in image.notes],
        "pdq": image.pdq,
        "pdq_quality": image.pdq_quality,
        "pdq_method": image.pdq_method,
        "pdq_changed": 0,
        "content": image.content,
        "added_at": utc_now(),
        "label": UNLABELLED.value,
        "technique": UNLABELLED.technique,
        "generator": UNLABELLED.generator,
        "disputed": UNLABELLED.disputed,
        "label_source_kind": UNLABELLED.source_kind,
        "label_source": UNLABELLED.source,
        "provenance_read_at": None,
        "original_kept": image.original_kept,
    }
    known = session.execute(select(ImageRow.id).where(ImageRow.sha256 == image.sha256)).scalar_one_or_none()
    if known is not None:
        return known
    file_removals.forget(session, [image.sha256])
    return int(insert_new(session, ImageRow, [row], ImageRow.id)[0])


def find_ids(session: Session, sha256s: Sequence[str]) -> dict[str, int]:
    """The internal ids of the given images, by SHA-256; images not in the catalogue are left out; one statement."""
    rows = session.execute(select(ImageRow.sha256, ImageRow.id).where(one_of(ImageRow.sha256, sha256s)))
    return {row[0]: row[1] for row in rows}


def sha256_of(session: Session, image_ids: Sequence[int]) -> dict[int, str]:
    """The SHA-256 of images by internal id; one statement. Unknown or deleted ids are left out."""
    rows = session.execute(select(ImageRow.id, ImageRow.sha256).where(one_of(ImageRow.id, image_ids)))
    return {row[0]: row[1] for row in rows}


def labels_of(session: Session, image_ids: Sequence[int]) -> dict[int, tuple[LabelValue, bool]]:
    """The current label of each image with enough in it to be compared, and whether it is disputed, by internal id; one
    statement. Unknown or deleted ids are left out.
    """
    statement = select(ImageRow.id, ImageRow.label, ImageRow.disputed).where(one_of(ImageRow.id, image_ids))
    rows = session.execute(statement.where(has_content(TOO_LITTLE)))
    return {row[0]: (row[1], row[2]) for row in rows}


def starting_with(session: Session, start: str, *, limit: int = 2) -> tuple[str, ...]:
    """The SHA-256 of up to `limit` images that start with these lower-case hex digits, sorted."""
    # all hex digits come before g: the range is the prefix, and the index serves it
    prefix = (ImageRow.sha256 >= start, ImageRow.sha256 < f"{start}g")
    statement = select(ImageRow.sha256).where(*prefix).order_by(ImageRow.sha256).limit(limit)
    return tuple(session.scalars(statement))


def get(session: Session, sha256: str) -> ImageDetails | None:
    """Everything about one image; one statement."""
    image = known(session, sha256)
    return None if image is None else image.details


def known(session: Session, sha256: str) -> KnownImage | None:
    """One image and its internal id; one statement."""
    rows = session.execute(DETAILS_BY_SHA256, {"sha256": sha256}).all()
    return next((KnownImage(row.id, details) for row, details in zip(rows, details_of(rows), strict=True)), None)


def details(session: Session, image_ids: Sequence[int]) -> dict[int, ImageDetails]:
    """Everything about these images, by internal id, in the given order; one statement. Unknown or deleted ids are left
    out.
    """
    if not image_ids:
        return {}
    rows = session.execute(DETAILS_BY_ID, {"ids": [int(image_id) for image_id in image_ids]}).all()
    by_id = {row.id: known for row, known in zip(rows, details_of(rows), strict=True)}
    return {int(image_id): by_id[image_id] for image_id in image_ids if image_id in by_id}


def page(session: Session, image_filter: ImageFilter, *, limit: int, cursor: str | None = None) -> Page[Image]:
    """Images that meet a filter, newest first; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("images", limit, cursor, start=(2**63 - 1,), id=int)
    (before,) = request.after
    statement = select(*IMAGE_COLUMNS).order_by(ImageRow.id.desc())
    if session.get_bind().dialect.name == "sqlite" and image_filter.least_content is None:
        statement = statement.where(ImageRow.id.in_(newest_ids(image_filter, before, limit + 1)))
    else:
        statement = statement.where(ImageRow.id < before, *conditions(image_filter))
    return request.rows(session, statement).map(image_of)


def matching_ids(session: Session, image_filter: ImageFilter) -> npt.NDArray[np.int64]:
    """The internal ids [N] of all images that meet a filter, rising."""
    # as one string: fetching a million one-column rows takes ten times as long
    joined = func.aggregate_strings(cast(ImageRow.id, String), ",")
    ids = session.execute(select(joined).where(*conditions(image_filter))).scalar_one()
    return np.sort(np.fromstring(ids or "", dtype=np.int64, sep=","))


def by_digest(session: Session, image_filter: ImageFilter, at_once: int) -> Iterator[list[int]]:
    """Internal ids of the images that meet a filter, in the order of their SHA-256, `at_once` at a time."""
    matching = matching_ids(session, image_filter)  # eight bytes per image
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
    """Delete an image with everything attached to it, and leave a tombstone. Its files are recorded for removal by
    `indexer.upkeep.deletion`.

    Returns:
        Whether it existed.
    """
    image_id = session.execute(select(ImageRow.id).where(ImageRow.sha256 == sha256)).scalar_one_or_none()
    if image_id is None:
        return False
    collections = select(CollectionImageRow.collection_id).where(CollectionImageRow.image_id == image_id)
    session.execute(
        update(CollectionRow).where(CollectionRow.id.in_(collections)).values(images=CollectionRow.images - 1),
        execution_options={"synchronize_session": False},
    )
    with campaign_departures.departing(session, [image_id]):
        session.execute(sql_delete(ImageRow).where(ImageRow.id == image_id))
    buried = {"image_id": image_id, "sha256": sha256, "reason": clean_text(reason), "deleted_at": utc_now()}
    session.execute(insert(TombstoneRow).values(**buried))
    file_removals.record(session, sha256)
    return True


def counts(session: Session) -> CatalogCounts:
    """The counts of everything in the catalogue; one statement."""

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
