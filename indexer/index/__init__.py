"""The search index over one catalogue: vectors of a detector and of a copy descriptor, and hashes, that follow the
catalogue automatically."""

from indexer.index.search_index import SearchIndex
from indexer.index.sources import EmbeddingSource
from indexer.index.status import CopyIndexStatus, FeatureIndexStatus, IndexState, IndexStatus, IndexVerification
from indexer.index.vectors import HashHit, Hits, Neighbours
from indexer.index.view import IndexView

__all__ = [
    "CopyIndexStatus",
    "EmbeddingSource",
    "FeatureIndexStatus",
    "HashHit",
    "Hits",
    "IndexState",
    "IndexStatus",
    "IndexVerification",
    "IndexView",
    "Neighbours",
    "SearchIndex",
]
