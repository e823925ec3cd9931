"""Whose embeddings an index of vectors follows, and where their snapshots lie."""

from dataclasses import dataclass
from pathlib import Path

from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.detections import embeddings
from indexer.catalog.vectors import VectorTable
from indexer.settings import Settings
from indexer.vocabulary import EMBEDDING_SIZE

COPIES = "copies"


@dataclass(frozen=True, slots=True)
class EmbeddingSource:
    """The embeddings [N, dimension] of one maker, a detector or a copy descriptor, in its `table`; `folder` is where
    its snapshots lie, `what` the name of its index in messages."""

    table: VectorTable
    fingerprint: str
    dimension: int
    folder: Path
    what: str

    @classmethod
    def of_detector(cls, fingerprint: str, settings: Settings) -> "EmbeddingSource":
        """The embeddings of a detector."""
        return cls(embeddings.TABLE, fingerprint, EMBEDDING_SIZE, settings.index_dir / fingerprint, "index")

    @classmethod
    def of_descriptor(cls, fingerprint: str, dimension: int, settings: Settings) -> "EmbeddingSource":
        """The embeddings of a copy descriptor."""
        folder = settings.index_dir / COPIES / fingerprint
        return cls(copy_embeddings.TABLE, fingerprint, dimension, folder, "copy index")
