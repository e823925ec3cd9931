"""Vectors and perceptual hashes by id: add, delete, search with a filter, snapshot, recover. Knows no catalogue."""

from indexer.vectors.allowed import Allowed
from indexer.vectors.hashes import HashHit, HashStore
from indexer.vectors.hits import Hits
from indexer.vectors.manifest import Manifest
from indexer.vectors.neighbours import Neighbours, nearest_neighbours
from indexer.vectors.snapshots import Block, SnapshotFolder, SnapshotPlan
from indexer.vectors.store import VectorStore

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
