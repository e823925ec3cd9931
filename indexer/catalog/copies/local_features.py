"""Packed local features by image, of one method at a time: an image's features of another method are replaced.

Row ids rise in the order of adding and are never used twice. Empty codes say that a picture was looked at and has too
little in it; only `having` and `lacking` take notice of them.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from indexer.catalog.records.copies import FeaturesBatch
from indexer.catalog.tables.copies import LocalFeaturesRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import insert_new, one_of
from indexer.errors import UsageError
from indexer.vocabulary import LabelValue

MOST_BYTES = 1_536
"""Largest packed features of one image, in bytes."""


def add(session: Session, fingerprint: str, features: Sequence[tuple[int, bytes]]) -> int:
    """Store the packed features of images, by internal id. Features of the same method are left unchanged, those of
    another one replaced.

    Returns:
        How many images have features of this method now that had none.

    Raises:
        UsageError: the features of an image take more than `MOST_BYTES`.
    """
    for image_id, codes in features:
        if len(codes) > MOST_BYTES:
            raise UsageError(f"the local features of image {image_id} take {len(codes)} bytes, more than {MOST_BYTES}")
    given = one_of(LocalFeaturesRow.image_id, [image_id for image_id, _ in features])
    older = delete(LocalFeaturesRow).where(given, LocalFeaturesRow.fingerprint != fingerprint)
    session.execute(older, execution_options={"synchronize_session": False})
    rows = [{"image_id": image_id, "fingerprint": fingerprint, "codes": codes} for image_id, codes in features]
    return len(insert_new(session, LocalFeaturesRow, rows, LocalFeaturesRow.id))


def of(session: Session, fingerprint: str, image_ids: Iterable[int]) -> dict[int, bytes]:
    """The packed features of the given images, where they have any; one statement."""
    rows = session.execute(
        select(LocalFeaturesRow.image_id, LocalFeaturesRow.codes).where(
            one_of(LocalFeaturesRow.image_id, image_ids), LocalFeaturesRow.fingerprint == fingerprint
        )
    )
    return {row[0]: row[1] for row in rows if row[1]}


def having(session: Session, fingerprint: str, image_ids: Iterable[int]) -> set[int]:
    """Which of the given images were looked at by this method."""
    given = one_of(LocalFeaturesRow.image_id, image_ids), LocalFeaturesRow.fingerprint == fingerprint
    return set(session.scalars(select(LocalFeaturesRow.image_id).where(*given)))


def count_fakes(session: Session, fingerprint: str) -> int:
    """How many known fakes have features by this method."""
    fakes = select(func.count()).select_from(LocalFeaturesRow).join(ImageRow, LocalFeaturesRow.image_id == ImageRow.id)
    has_some = LocalFeaturesRow.fingerprint == fingerprint, func.length(LocalFeaturesRow.codes) > 0
    return session.execute(fakes.where(*has_some, ImageRow.label == LabelValue.FAKE)).scalar_one()


def since(session: Session, fingerprint: str, after: int, limit: int) -> FeaturesBatch:
    """Up to `limit` rows added after the row id `after`, in the order they were added, those with empty codes too."""
    rows = session.execute(
        select(LocalFeaturesRow.id, LocalFeaturesRow.image_id, LocalFeaturesRow.codes)
        .where(LocalFeaturesRow.fingerprint == fingerprint, LocalFeaturesRow.id > after)
        .order_by(LocalFeaturesRow.id)
        .limit(limit)
    ).all()
    return FeaturesBatch(
        feature_ids=np.array([row[0] for row in rows], dtype=np.int64),
        image_ids=np.array([row[1] for row in rows], dtype=np.int64),
        codes=tuple(row[2] for row in rows),
    )


def count(session: Session, fingerprint: str) -> int:
    """How many images have features by this method."""
    some = LocalFeaturesRow.fingerprint == fingerprint, func.length(LocalFeaturesRow.codes) > 0
    return session.execute(select(func.count()).select_from(LocalFeaturesRow).where(*some)).scalar_one()


def newest_id(session: Session, fingerprint: str) -> int:
    """The newest row id, 0 when there is none."""
    newest = select(func.max(LocalFeaturesRow.id)).where(LocalFeaturesRow.fingerprint == fingerprint)
    return session.execute(newest).scalar_one() or 0


def lacks(fingerprint: str) -> ColumnElement[bool]:
    """The condition that this method has not looked at an image."""
    return ~exists().where(LocalFeaturesRow.image_id == ImageRow.id, LocalFeaturesRow.fingerprint == fingerprint)
