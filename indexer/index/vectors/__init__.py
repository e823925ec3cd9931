"""Vectors and perceptual hashes by id: add, delete, search with a filter, snapshot, recover. Independent of the
catalogue.
"""

from indexer.index.vectors.allowed import Allowed
from indexer.index.vectors.hashes import HashHit, HashStore
from indexer.index.vectors.hits import Hits
from indexer.index.vectors.manifest import Manifest
from indexer.index.vectors.neighbours import Neighbours, nearest_neighbours
from indexer.index.vectors.snapshots import Block, SnapshotFolder, SnapshotPlan
from indexer.index.vectors.store import VectorStore

__all__ = [
    "Allowed",
    "Block",
    "HashHit",
    "HashStore",
    "Hits",
    "Manifest",
    "Neighbours",
    "SnapshotFolder",
    "SnapshotPlan",
    "VectorStore",
    "nearest_neighbours",
]
