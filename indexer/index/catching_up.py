"""How vector and hash stores follow the catalogue: what was added and deleted since their watermarks.

Image, embedding and tombstone ids are never used twice and are committed in rising order; that is what makes a
watermark mean "everything up to here".
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from sqlalchemy.orm import Session

from indexer.catalog import changes
from indexer.catalog.database import Catalog
from indexer.catalog.records.detections import Watermarks
from indexer.errors import VectorIndexError
from indexer.index.sources import EmbeddingSource
from indexer.index.vectors import Block, HashStore, VectorStore
from indexer.index.vectors.exact import Ids

ROWS_AT_ONCE = 8_192
SAMPLE = 64
NO_HASHES = np.empty(0, np.int64), np.empty((0, 32), np.uint8), np.empty(0, np.int16)


def follow_embeddings(session: Session, source: EmbeddingSource, store: VectorStore, marks: Watermarks) -> None:
    """Add to `store` everything of `source` beyond its watermarks, and remove from it what was deleted.

    Args:
        marks: the catalogue's watermarks in this session.
    """
    newest = source.table.newest_id(session, source.fingerprint)
    while store.watermark < newest:
        batch = source.table.since(session, source.fingerprint, store.watermark, ROWS_AT_ONCE, source.dimension)
        read_to = int(batch.embedding_ids[-1]) if len(batch.embedding_ids) else newest
        store.add(batch.image_ids, batch.vectors, read_to)
    follow_tombstones(session, store, marks)


def follow_hashes(session: Session, store: HashStore, marks: Watermarks) -> None:
    """Add to `store` the PDQ hashes of images beyond its watermark, update hashes that were replaced, and remove those
    of deleted images.
    """
    if not store.watermark:  # what it is about to read is as of this session
        store.change(*NO_HASHES, marks.change_id)
    while store.watermark < marks.image_id:
        batch = changes.hashes_since(session, store.watermark, ROWS_AT_ONCE)
        if not len(batch.image_ids):
            raise VectorIndexError(
                f"the catalogue names image {marks.image_id} as its newest and shows none after {store.watermark}: "
                "start again"
            )
        store.add(batch.image_ids, batch.hashes, batch.qualities)
    if store.change_watermark < marks.change_id:
        changed = changes.hashes_changed(session, store.change_watermark)
        store.change(changed.image_ids, changed.hashes, changed.qualities, marks.change_id)
    follow_tombstones(session, store, marks)


class Deleting(Protocol):
    """A store that images are deleted from."""

    @property
    def tombstone_watermark(self) -> int:
        """Every deletion up to this tombstone id was made."""

    def delete(self, ids: Ids, tombstone_watermark: int, /) -> None:
        """Remove images from searches at once."""


def follow_tombstones(session: Session, store: Deleting, marks: Watermarks) -> None:
    """Remove from `store` the images that were deleted since its watermark."""
    if store.tombstone_watermark < marks.tombstone_id:
        tombstone_ids, image_ids = changes.tombstones_since(session, store.tombstone_watermark)
        store.delete(image_ids, int(tombstone_ids.max(initial=marks.tombstone_id)))


def catalogue_blocks(catalog: Catalog, source: EmbeddingSource, up_to: int) -> Iterator[Block]:
    """All embeddings of a source up to the embedding id `up_to`, in the order they were added.

    Each block is read in a transaction of its own: rebuilding a large index must not hold one open for minutes.
    """
    after = 0
    while after < up_to:
        with catalog.reading() as session:
            batch = source.table.since(session, source.fingerprint, after, ROWS_AT_ONCE, source.dimension)
        included = batch.embedding_ids <= up_to
        yield Block(batch.image_ids[included], batch.vectors[included])
        after = int(batch.embedding_ids.max()) if len(included) else up_to


def disagreement(session: Session, source: EmbeddingSource, store: VectorStore) -> str | None:
    """Why a store that has caught up in this session cannot belong to this catalogue; None when it can.

    A catalogue restored from a backup, or recreated, reuses ids for other images; an index of the previous one would
    silently give wrong answers. Compares the count, and a sample of vectors bit by bit.
    """
    count = source.table.count(session, source.fingerprint)
    if count != store.count:
        return f"the index holds {store.count:,} embeddings, the catalogue {count:,}"
    sample = store.sample(SAMPLE)
    truth = source.table.vectors(session, source.fingerprint, sample.ids.tolist())
    for image_id, vector in zip(sample.ids.tolist(), sample.vectors, strict=True):
        if image_id not in truth or not np.array_equal(truth[image_id], vector):
            return f"the index holds another embedding of image {image_id} than the catalogue"
    return None
