"""Hash lists from other parties: hashes of known images without the pictures. A hash is never changed, and is removed
only with its whole list. So to follow them, check which lists exist and read on from the last id.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from indexer.catalog.cursors import PageRequest
from indexer.catalog.records.detections import HashBatch
from indexer.catalog.records.hash_lists import HashList, ListedHash
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.hash_lists import HashListRow, ListedHashRow
from indexer.catalog.tables.portable import insert_new, one_of
from indexer.catalog.tables.types import bounded, utc_now
from indexer.errors import ConflictError, NotFoundError, UsageError
from indexer.vocabulary import HashAlgorithm, LabelValue

HASH_BYTES = 32
TRUSTED_QUALITY = 100
"""The quality taken for a listed PDQ hash: lists do not say, and their keepers chose what to list."""
_COLUMNS = (HashListRow.name, HashListRow.label, HashListRow.hashes, HashListRow.added_at, HashListRow.changed_at)
_LISTED = (
    ListedHashRow.algorithm,
    ListedHashRow.value,
    HashListRow.name,
    HashListRow.label,
    ListedHashRow.added_at,
)


def add(session: Session, name: str, label: LabelValue, hashes: Sequence[tuple[HashAlgorithm, bytes]]) -> int:
    """Add hashes of 32 bytes to the list of this name, which is created if missing.

    Returns:
        How many were new.

    Raises:
        ConflictError: the list has a label other than `label`.
        UsageError: no name, one that is too long, or a hash that is not 32 bytes.
    """
    if any(len(value) != HASH_BYTES for _, value in hashes):
        raise UsageError(f"a listed hash has {HASH_BYTES} bytes (64 hexadecimal digits)")
    list_id = _ensure(session, name, label)
    now = utc_now()
    rows = [
        {"list_id": list_id, "algorithm": algorithm, "value": value, "added_at": now} for algorithm, value in hashes
    ]
    added = len(insert_new(session, ListedHashRow, rows, ListedHashRow.id))
    if added:
        grown = update(HashListRow).where(HashListRow.id == list_id)
        session.execute(grown.values(hashes=HashListRow.hashes + added, changed_at=now))
    return added


def all_lists(session: Session) -> tuple[HashList, ...]:
    """All lists by name; one statement."""
    rows = session.execute(select(*_COLUMNS).order_by(HashListRow.name))
    return tuple(HashList(*row) for row in rows)


def page(session: Session, limit: int, cursor: str | None = None) -> Page[HashList]:
    """Lists by name; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("hash lists", limit, cursor, name=str)
    statement = select(*_COLUMNS).order_by(HashListRow.name)
    if request.after:
        statement = statement.where(HashListRow.name > request.after[0])
    return request.rows(session, statement).map(lambda row: HashList(*row))


def get(session: Session, name: str) -> HashList:
    """The list of this name.

    Raises:
        NotFoundError: there is none.
    """
    row = session.execute(select(*_COLUMNS).where(HashListRow.name == bounded("the name of a hash list", name)))
    columns = row.one_or_none()
    if columns is None:
        raise NotFoundError(f"there is no hash list named {name!r}: see `dejafake hashes list`")
    return HashList(*columns)


def delete(session: Session, name: str) -> int:
    """Delete a list with its hashes.

    Returns:
        How many hashes were deleted.

    Raises:
        NotFoundError: there is no list of this name.
    """
    kept = bounded("the name of a hash list", name)
    gone = session.execute(sql_delete(HashListRow).where(HashListRow.name == kept).returning(HashListRow.hashes))
    held = gone.scalar_one_or_none()
    if held is None:
        raise NotFoundError(f"there is no hash list named {name!r}: see `dejafake hashes list`")
    return held


def any_of(session: Session, label: LabelValue) -> bool:
    """Whether any list holds a hash of this label; one statement."""
    held = select(HashListRow.id).where(HashListRow.label == label, HashListRow.hashes > 0).limit(1)
    return session.execute(held).first() is not None


def with_sha256(session: Session, sha256: str) -> tuple[ListedHash, ...]:
    """The entries for a file, ordered by list name; one statement."""
    listed = (ListedHashRow.algorithm == HashAlgorithm.SHA256, ListedHashRow.value == bytes.fromhex(sha256))
    rows = session.execute(_listed().where(*listed).order_by(HashListRow.name))
    return tuple(_record(row) for row in rows)


def by_id(session: Session, ids: Iterable[int]) -> dict[int, ListedHash]:
    """Entries by internal id; deleted ones are left out; one statement."""
    rows = session.execute(_listed().add_columns(ListedHashRow.id).where(one_of(ListedHashRow.id, ids)))
    return {row[-1]: _record(row) for row in rows}


def newest(session: Session) -> tuple[frozenset[int], int]:
    """The internal ids of all lists, and that of the newest listed hash (0 when there is none)."""
    lists = frozenset(session.scalars(select(HashListRow.id)))
    return lists, session.execute(select(func.max(ListedHashRow.id))).scalar_one() or 0


def pdq_since(session: Session, after_id: int, limit: int) -> HashBatch:
    """Up to `limit` listed PDQ hashes added after `after_id`, in the order they were added; `image_ids` holds the
    entries' ids.
    """
    rows = session.execute(
        select(ListedHashRow.id, ListedHashRow.value)
        .where(ListedHashRow.algorithm == HashAlgorithm.PDQ, ListedHashRow.id > after_id)
        .order_by(ListedHashRow.id)
        .limit(limit)
    ).all()
    return HashBatch(
        image_ids=np.array([row[0] for row in rows], dtype=np.int64),
        hashes=np.frombuffer(b"".join(row[1] for row in rows), dtype=np.uint8).reshape(-1, HASH_BYTES).copy(),
        qualities=np.full(len(rows), TRUSTED_QUALITY, dtype=np.int16),
    )


def _ensure(session: Session, name: str, label: LabelValue) -> int:
    kept = bounded("the name of a hash list", name)
    if kept is None:
        raise UsageError("a hash list needs a name: who keeps it")
    known = session.execute(select(HashListRow.id, HashListRow.label).where(HashListRow.name == kept)).one_or_none()
    if known is None:
        now = utc_now()
        values = {"name": kept, "label": label, "hashes": 0, "added_at": now, "changed_at": now}
        return int(session.execute(insert(HashListRow).values(**values).returning(HashListRow.id)).scalar_one())
    if known.label is not label:
        raise ConflictError(
            f"the hash list {kept!r} is of {known.label.value} images, not of {label.value} ones: choose another name"
        )
    return int(known.id)


def _listed() -> Select[*tuple[Any, ...]]:
    return select(*_LISTED).join(HashListRow, HashListRow.id == ListedHashRow.list_id)


def _record(row: Row[*tuple[Any, ...]]) -> ListedHash:
    algorithm, value, source, label, added_at = row[:5]
    return ListedHash(algorithm, value.hex(), source, label, added_at)
