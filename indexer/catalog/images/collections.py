"""Collections: named sets of images, and how many each holds."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Row, insert, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from indexer.catalog.cursors import PageRequest
from indexer.catalog.records.collections import Collection
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.collections import CollectionImageRow, CollectionRow
from indexer.catalog.tables.portable import insert_new, one_of
from indexer.catalog.tables.types import bounded, clean_text, utc_now
from indexer.errors import ConflictError, NotFoundError, UsageError

_COLUMNS = (CollectionRow.name, CollectionRow.description, CollectionRow.images, CollectionRow.created_at)


def create(session: Session, name: str, description: str = "") -> Collection:
    """Create an empty collection.

    Raises:
        ConflictError: the name is taken.
        UsageError: the name is empty or too long.
    """
    kept = _name(name)
    if get(session, kept) is not None:
        raise ConflictError(f"there is already a collection named {kept!r}")
    collection = Collection(kept, clean_text(description), 0, utc_now())
    session.execute(insert(CollectionRow).values(**asdict(collection)))
    return collection


def ensure(session: Session, name: str) -> None:
    """Create a collection unless one of this name exists.

    Raises:
        UsageError: the name is empty or too long.
    """
    if get(session, _name(name)) is None:
        create(session, name)


def get(session: Session, name: str) -> Collection | None:
    """The collection of this name."""
    row = session.execute(select(*_COLUMNS).where(CollectionRow.name == _spelled(name))).one_or_none()
    return None if row is None else _record(row)


def page(session: Session, limit: int, cursor: str | None = None) -> Page[Collection]:
    """Collections by name; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("collections", limit, cursor, name=str)
    statement = select(*_COLUMNS).order_by(CollectionRow.name)
    if request.after:
        statement = statement.where(CollectionRow.name > request.after[0])
    return request.rows(session, statement).map(_record)


def rename(session: Session, name: str, new_name: str) -> None:
    """Give a collection another name.

    Raises:
        NotFoundError: there is none of this name.
        ConflictError: the new name is taken.
        UsageError: the new name is empty or too long.
    """
    collection_id = _id(session, name)
    try:
        with session.begin_nested():
            renamed = update(CollectionRow).where(CollectionRow.id == collection_id).values(name=_name(new_name))
            session.execute(renamed)
    except IntegrityError:
        raise ConflictError(f"there is already a collection named {new_name!r}") from None


def delete(session: Session, name: str) -> None:
    """Delete a collection; its images stay.

    Raises:
        NotFoundError: there is none of this name.
    """
    session.execute(sql_delete(CollectionRow).where(CollectionRow.id == _id(session, name)))


def add_images(session: Session, name: str, image_ids: Sequence[int]) -> int:
    """Put images into a collection.

    Returns:
        How many were not in it before.

    Raises:
        NotFoundError: there is no collection of this name.
    """
    collection_id = _id(session, name)
    rows = [{"collection_id": collection_id, "image_id": int(image_id)} for image_id in image_ids]
    added = len(insert_new(session, CollectionImageRow, rows, CollectionImageRow.image_id))
    _grow(session, collection_id, added)
    return added


def which_inside(session: Session, name: str, image_ids: Sequence[int]) -> frozenset[int]:
    """Which of the images are in a collection.

    Raises:
        NotFoundError: there is no collection of this name.
    """
    inside = select(CollectionImageRow.image_id).where(
        CollectionImageRow.collection_id == _id(session, name), one_of(CollectionImageRow.image_id, image_ids)
    )
    return frozenset(session.scalars(inside))


def remove_images(session: Session, name: str, image_ids: Sequence[int]) -> int:
    """Remove images from a collection.

    Returns:
        How many were in it.

    Raises:
        NotFoundError: there is no collection of this name.
    """
    collection_id = _id(session, name)
    removed = session.execute(
        sql_delete(CollectionImageRow)
        .where(CollectionImageRow.collection_id == collection_id, one_of(CollectionImageRow.image_id, image_ids))
        .returning(CollectionImageRow.image_id)
        .execution_options(synchronize_session=False)
    )
    count = len(removed.all())
    _grow(session, collection_id, -count)
    return count


def _grow(session: Session, collection_id: int, by: int) -> None:
    if by:
        grown = update(CollectionRow).where(CollectionRow.id == collection_id)
        session.execute(grown.values(images=CollectionRow.images + by))


def _id(session: Session, name: str) -> int:
    collection_id = session.execute(
        select(CollectionRow.id).where(CollectionRow.name == _spelled(name))
    ).scalar_one_or_none()
    if collection_id is None:
        raise NotFoundError(f"there is no collection named {name!r}")
    return collection_id


def _spelled(name: str) -> str:
    """A name in stored form."""
    return clean_text(name).strip()


def _name(name: str) -> str:
    kept = bounded("the name of a collection", name)
    if kept is None:
        raise UsageError("a collection needs a name")
    return kept


def _record(row: Row[str, str, int, datetime]) -> Collection:
    return Collection(row.name, row.description, row.images, row.created_at)
