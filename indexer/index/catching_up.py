"""How vector and hash stores follow the catalogue: what was added and deleted since their watermarks.

Image, embedding and tombstone ids are never used twice and are committed in rising order; that is what makes a
watermark mean "everything up to here".
"""

from collections.abc import Iterator

import numpy as np
from sqlalchemy.orm import Session

from indexer.catalog import changes, embeddings
from indexer.catalog.database import Catalog
from indexer.catalog.records import Watermarks
from indexer.vectors import Block, HashStore, VectorStore

ROWS_AT_ONCE = 8_192
SAMPLE = 64


def follow_embeddings(session: Session, store: VectorStore, marks: Watermarks) -> None:
    """Add to `store` what the catalogue has beyond its watermarks, and delete from it what was deleted.

    Args:
        marks: the catalogue's watermarks in this session, for the detector of the store.
    """
    while store.watermark < marks.embedding_id:
        batch = embeddings.since(session, store.folder.fingerprint, store.watermark, ROWS_AT_ONCE)
        read_to = int(batch.embedding_ids[-1]) if len(batch.embedding_ids) else marks.embedding_id
        store.add(batch.image_ids, batch.vectors, read_to)
    _follow_tombstones(session, store, marks)


def follow_hashes(session: Session, store: HashStore, marks: Watermarks) -> None:
    """Add to `store` the PDQ hashes of images beyond its watermark, and delete those of deleted images."""
    while store.watermark < marks.image_id:
        batch = changes.hashes_since(session, store.watermark, ROWS_AT_ONCE)
        store.add(batch.image_ids, batch.hashes, batch.qualities)
    _follow_tombstones(session, store, marks)


def _follow_tombstones(session: Session, store: VectorStore | HashStore, marks: Watermarks) -> None:
    if store.tombstone_watermark < marks.tombstone_id:
        tombstone_ids, image_ids = changes.tombstones_since(session, store.tombstone_watermark)
        store.delete(image_ids, int(tombstone_ids.max(initial=marks.tombstone_id)))


def catalogue_blocks(catalog: Catalog, fingerprint: str, up_to: int) -> Iterator[Block]:
    """All embeddings of a detector up to the embedding id `up_to`, in the order they were added.

    Each block is read in a transaction of its own: rebuilding a large index must not hold one open for minutes.
    """
    after = 0
    while after < up_to:
        with catalog.reading() as session:
            batch = embeddings.since(session, fingerprint, after, ROWS_AT_ONCE)
        wanted = batch.embedding_ids <= up_to
        yield Block(batch.image_ids[wanted], batch.vectors[wanted])
        after = int(batch.embedding_ids.max()) if len(wanted) else up_to


def disagreement(session: Session, store: VectorStore) -> str | None:
    """Why a store that has caught up in this session cannot be of this catalogue, None when it can.

    A catalogue that was restored from a backup or begun anew gives old ids to other images; answers from an index of
    the one before would be wrong without a sign. Compares the count, and a sample of vectors bit by bit.
    """
    fingerprint = store.folder.fingerprint
    count = embeddings.count(session, fingerprint)
    if count != store.count:
        return f"the index holds {store.count:,} embeddings, the catalogue {count:,}"
    sample = store.sample(SAMPLE)
    truth = embeddings.vectors(session, fingerprint, sample.ids.tolist())
    for image_id, vector in zip(sample.ids.tolist(), sample.vectors, strict=True):
        if image_id not in truth or not np.array_equal(truth[image_id], vector):
            return f"the index holds another embedding of image {image_id} than the catalogue"
    return None
