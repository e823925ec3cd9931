"""Vectors with the shape of real ones: clusters, near duplicates, exact duplicates; and a folder to keep them in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from indexer.arrays import Vectors
from indexer.index.vectors import Block, SnapshotFolder, SnapshotPlan

FINGERPRINT = "f" * 64
DIMENSION = 384


@pytest.fixture(scope="session")
def clustered() -> Callable[..., tuple[Vectors, npt.NDArray[np.int64]]]:
    """(count, seed, clusters) -> unit vectors [count, 384] and the cluster [count] of each. One in five is a near
    duplicate of another; cluster centres are the same for every seed, so that a second call makes held-out queries."""

    def make(count: int, seed: int, clusters: int = 50) -> tuple[Vectors, npt.NDArray[np.int64]]:
        random = np.random.default_rng(seed)
        centres = np.random.default_rng(99).standard_normal((clusters, DIMENSION), np.float32)
        cluster = random.integers(0, clusters, count)
        vectors = centres[cluster] + 1.5 * random.standard_normal((count, DIMENSION), np.float32)
        copies = np.flatnonzero(random.random(count) < 0.2)
        originals = random.integers(0, count, len(copies))
        vectors[copies] = vectors[originals] + 0.05 * random.standard_normal((len(copies), DIMENSION), np.float32)
        cluster[copies] = cluster[originals]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors, cluster

    return make


@pytest.fixture
def folder(tmp_path: Path) -> SnapshotFolder:
    """An empty place for snapshots."""
    return SnapshotFolder(tmp_path / "index", FINGERPRINT, DIMENSION)


@pytest.fixture(scope="session")
def exact_plan() -> SnapshotPlan:
    """Builds without an IVF index."""
    return SnapshotPlan(exact_max=1_000_000, threads=1)


@pytest.fixture(scope="session")
def blocks_of() -> Callable[[npt.NDArray[np.int64], Vectors], Iterator[Block]]:
    """(ids, vectors) -> the same as blocks of uneven sizes."""

    def make(ids: npt.NDArray[np.int64], vectors: Vectors) -> Iterator[Block]:
        for start in range(0, len(ids), 777):
            yield Block(ids[start : start + 777], vectors[start : start + 777])

    return make
