"""Local features by image: which images have them, which lack them, and all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.portable import insert_new
from indexer.catalog.region_tables import RegionFeaturesRow
from indexer.catalog.tables import ImageRow
from indexer.catalog.types import utc_now
from indexer.vocabulary import LabelValue

_AT_ONCE = 500
_LACKING = (
    ImageRow.label == LabelValue.FAKE,
    ~select(RegionFeaturesRow.id).where(RegionFeaturesRow.image_id == ImageRow.id).exists(),
)
_BYTES_A_FEATURE = 136


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """The features of one image, as bytes: `points` 8 a feature (x, y: float32, little-endian), `descriptors` 128."""

    image_id: int
    points: bytes
    descriptors: bytes


@dataclass(frozen=True, slots=True)
class FeaturesState:
    """How many images have features, and a mark that changes whenever they do. `bytes` is what the features take."""

    images: int
    newest: int
    bytes: int


def add(session: Session, prepared: Sequence[StoredFeatures]) -> int:
    """Keep the features of images; those that have some are left as they are. Returns how many were added."""
    now = utc_now()
    rows = [
        {"image_id": one.image_id, "points": one.points, "descriptors": one.descriptors, "prepared_at": now}
        for one in prepared
    ]
    return len(insert_new(session, RegionFeaturesRow, rows, RegionFeaturesRow.id)) if rows else 0


def lacking(session: Session, after_image_id: int, limit: int) -> list[tuple[int, str]]:
    """Id and SHA-256 of up to `limit` known fakes above `after_image_id` that have no features yet, by rising id."""
    rows = session.execute(
        select(ImageRow.id, ImageRow.sha256)
        .where(ImageRow.id > after_image_id, *_LACKING)
        .order_by(ImageRow.id)
        .limit(limit)
    )
    return [(row.id, row.sha256) for row in rows]


def lacking_count(session: Session) -> int:
    """How many known fakes have no features yet."""
    return session.execute(select(func.count()).select_from(ImageRow).where(*_LACKING)).scalar_one()


def state(session: Session) -> FeaturesState:
    """How many images have features now; one statement."""
    sizes = func.sum(func.length(RegionFeaturesRow.descriptors))
    row = session.execute(select(func.count(), func.max(RegionFeaturesRow.id), sizes)).one()
    return FeaturesState(row[0], row[1] or 0, int(row[2] or 0) // 128 * _BYTES_A_FEATURE)


def everything(session: Session) -> Iterator[StoredFeatures]:
    """All features, in the order they were made, some at a time."""
    after = 0
    while True:
        rows = session.execute(
            select(RegionFeaturesRow).where(RegionFeaturesRow.id > after).order_by(RegionFeaturesRow.id).limit(_AT_ONCE)
        ).scalars()
        batch = list(rows)
        if not batch:
            return
        for row in batch:
            yield StoredFeatures(row.image_id, row.points, row.descriptors)
        after = batch[-1].id
        session.expunge_all()
