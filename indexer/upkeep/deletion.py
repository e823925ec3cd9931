"""Deleting images with their files. The catalogue records which files to remove before any is touched, so that a crash
leaves none behind: the next process that opens the installation removes them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from indexer.catalog.database import Catalog
from indexer.catalog.images import file_removals, images, kept_files
from indexer.files.media import MediaStore

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Removal:
    """The result of removing files of deleted images: for how many images they were `removed`, and why others are
    `left`, by SHA-256.
    """

    removed: int
    left: dict[str, str]


def delete_image(catalog: Catalog, sha256: str, reason: str, check: Callable[[Session], None] | None = None) -> bool:
    """Deletes an image from the catalogue with everything attached to it; call `remove_files` afterwards.

    Args:
        catalog: where.
        sha256: of the image.
        reason: why; kept.
        check: called in the transaction that deletes, before it does; what it raises stops the deletion.

    Returns:
        Whether it existed.

    Raises:
        CatalogError: the catalogue cannot be written; nothing was deleted.
    """
    with catalog.writing() as session:
        if check is not None and images.find_ids(session, [sha256]):
            check(session)
        return images.delete(session, sha256, reason)


def remove_files(catalog: Catalog, originals: MediaStore, thumbnails: MediaStore) -> Removal:
    """Removes the remaining files of deleted images. Images that were added again keep theirs: an ingest stores files
    while it holds the write lock, as does this.

    Raises:
        CatalogError: the catalogue cannot be written.
    """
    removed, left = 0, dict[str, str]()
    after: str | None = ""
    while after is not None:
        with catalog.reading() as session:
            waiting = file_removals.pending(session, after, _AT_ONCE)
        if not waiting:
            break
        after = waiting[-1] if len(waiting) == _AT_ONCE else None
        with catalog.writing() as session:
            back = kept_files.held(session, waiting)
            failed = {}
            for sha256 in file_removals.still_pending(session, waiting):
                if sha256 not in back and (why := _remove(sha256, originals, thumbnails)) is not None:
                    failed[sha256] = why
            file_removals.forget(session, [sha256 for sha256 in waiting if sha256 not in failed])
        removed += len(waiting) - len(failed)
        left |= failed
    return Removal(removed, left)


def _remove(sha256: str, originals: MediaStore, thumbnails: MediaStore) -> str | None:
    """Removes the files of an image; returns the reason if one is left."""
    try:
        originals.delete(sha256)
        thumbnails.delete(sha256)
    except OSError as error:
        return error.strerror or str(error)
    return None
