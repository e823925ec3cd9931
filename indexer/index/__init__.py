"""The search index of one detector over one catalogue: vectors and hashes that follow the catalogue by themselves."""

from indexer.index.search_index import SearchIndex
from indexer.index.status import IndexState, IndexStatus, IndexVerification
from indexer.vectors import HashHit, Hits, Neighbours

__all__ = ["HashHit", "Hits", "IndexState", "IndexStatus", "IndexVerification", "Neighbours", "SearchIndex"]
