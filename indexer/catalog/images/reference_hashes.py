"""Images whose PDQ hash was not computed by the reference method, and replacing it. Processes that hold hashes in
memory follow by the transaction number stored with a replaced hash (`changes`).
"""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from indexer.catalog import changes
from indexer.catalog.records.images import NewImage
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.vocabulary import PdqMethod

_OTHERWISE = ImageRow.pdq_method != PdqMethod.REFERENCE.value


def lacking(session: Session, *, after: int, limit: int) -> list[tuple[int, str]]:
    """Internal id and SHA-256 of up to `limit` images whose PDQ hash was not computed by the reference method, by
    rising id after `after`.
    """
    older = ImageRow.id > after, _OTHERWISE
    rows = session.execute(select(ImageRow.id, ImageRow.sha256).where(*older).order_by(ImageRow.id).limit(limit))
    return [(row.id, row.sha256) for row in rows]


def lacking_among(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Which of the given images have a PDQ hash that was not computed by the reference method."""
    return set(session.scalars(select(ImageRow.id).where(one_of(ImageRow.id, image_ids), _OTHERWISE)))


def count_lacking(session: Session) -> int:
    """How many images have a PDQ hash that was not computed by the reference method."""
    older = select(func.count()).where(_OTHERWISE)
    return int(session.execute(older).scalar_one())


def take(session: Session, image: NewImage) -> bool:
    """Replace an image's hash with the reference hash, and store its content value, which older versions did not
    measure.

    Returns:
        Whether there was one to replace.
    """
    older = ImageRow.sha256 == image.sha256, _OTHERWISE
    hashed = {
        "pdq": image.pdq,
        "pdq_quality": image.pdq_quality,
        "pdq_method": image.pdq_method,
        "content": image.content,
    }
    taken = update(ImageRow).where(*older).values(**hashed, pdq_changed=changes.this_change(session))
    done = session.execute(taken.returning(ImageRow.id), execution_options={"synchronize_session": False})
    return done.first() is not None
