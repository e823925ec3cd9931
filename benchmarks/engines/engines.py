"""The engines `benchmarks.vectors` compares, each behind the same four verbs: build, open, set, search.

dejafake goes through its own VectorStore, as users get it. Peers are imported when they are used: they come with the
extra `bench`.
"""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np

from indexer.arrays import Vectors
from indexer.index.vectors import Block, SnapshotFolder, SnapshotPlan, VectorStore
from indexer.index.vectors.main_index import MainIndex

Setting = tuple[int, ...]

FINGERPRINT = "b" * 64
THREADS = 2
EFFORTS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 900, 1280)


class Engine(Protocol):
    """One way to find nearest neighbours by cosine."""

    name: str

    def build(self, vectors: Vectors, folder: Path) -> None:
        """Index unit vectors [N, D] and write the files into `folder`."""

    def open(self, folder: Path) -> None:
        """Load or map what was built."""

    def settings(self) -> list[Setting]:
        """What to try, by rising recall or, where more than one number is set, in any order."""

    def set(self, setting: Setting, threads: int) -> None:
        """Search like that from now on."""

    def search(self, queries: Vectors, k: int) -> Vectors:
        """The cosines [Q, k] of what was found, best first."""


class Dejafake:
    """VectorStore on a snapshot. A setting is (probes, refined); (0, 0) is what the build chose."""

    name = "dejafake"

    def build(self, vectors: Vectors, folder: Path) -> None:
        """As an index build does, tuning included."""
        snapshots = SnapshotFolder(folder, FINGERPRINT, vectors.shape[1])
        with snapshots.lock(wait=True):
            snapshots.write(_blocks(vectors), len(vectors), 0, SnapshotPlan(exact_max=50_000, threads=THREADS))

    def open(self, folder: Path) -> None:
        """As the API does when it starts."""
        snapshots = SnapshotFolder(folder, FINGERPRINT, 384)
        self._store = VectorStore.open(snapshots, threads=THREADS)

    def settings(self) -> list[Setting]:
        """A grid, as two numbers trade for each other."""
        if self._main.manifest.kind != "ivf":
            return [(0, 0)]
        grid = itertools.product((2, 4, 6, 8, 11, 14, 18, 24, 32, 44, 60, 80, 110, 160, 240), (3, 4, 6, 8, 12, 16, 24))
        return [(0, 0), *grid]

    @cached_property
    def _main(self) -> MainIndex:
        name = self._store.snapshot
        assert name is not None
        folder = self._store.folder
        return MainIndex(folder.path / name, folder.manifest(name))

    def set(self, setting: Setting, threads: int) -> None:
        """A store on the same snapshot with other search parameters."""
        probes, refined = setting
        main = self._main.searched_with(probes=probes, refined=refined) if probes else self._main
        self._store = VectorStore(self._store.folder, main, threads=threads)

    def search(self, queries: Vectors, k: int) -> Vectors:
        """One call, as `SearchIndex.nearest` makes it."""
        return self._store.search(queries, k).scores


class Hnswlib:
    """hnswlib, M = 32. A setting is (ef,)."""

    def __init__(self, construction: int) -> None:
        self.name = f"hnswlib efC={construction}"
        self._construction = construction

    def build(self, vectors: Vectors, folder: Path) -> None:
        """In two threads."""
        import hnswlib

        index = hnswlib.Index("ip", vectors.shape[1])
        index.init_index(len(vectors), M=32, ef_construction=self._construction, random_seed=1)
        index.set_num_threads(THREADS)
        index.add_items(vectors)
        index.save_index(str(folder / "index"))

    def open(self, folder: Path) -> None:
        """Read into memory; it cannot be mapped."""
        import hnswlib

        self._index = hnswlib.Index("ip", 384)
        self._index.load_index(str(folder / "index"))

    def settings(self) -> list[Setting]:
        """Rising."""
        return [(effort,) for effort in EFFORTS]

    def set(self, setting: Setting, threads: int) -> None:
        """On the index: nobody else uses it."""
        self._index.set_ef(setting[0])
        self._index.set_num_threads(threads)

    def search(self, queries: Vectors, k: int) -> Vectors:
        """One call."""
        _, distances = self._index.knn_query(queries, k)
        return np.asarray(1 - distances, np.float32)


class Usearch:
    """usearch, connectivity 32. A setting is (expansion,)."""

    def __init__(self, kind: str) -> None:
        self.name = f"usearch {kind}"
        self._kind = kind
        self._threads = THREADS

    def _empty(self) -> Any:
        from usearch.index import Index

        return Index(ndim=384, metric="ip", dtype=self._kind, connectivity=32, expansion_add=128)

    def build(self, vectors: Vectors, folder: Path) -> None:
        """In two threads."""
        index = self._empty()
        index.add(np.arange(len(vectors)), vectors, threads=THREADS)
        index.save(str(folder / "index"))

    def open(self, folder: Path) -> None:
        """Read into memory, as the others."""
        self._index = self._empty()
        self._index.load(str(folder / "index"))

    def settings(self) -> list[Setting]:
        """Rising."""
        return [(effort,) for effort in EFFORTS]

    def set(self, setting: Setting, threads: int) -> None:
        """On the index: nobody else uses it."""
        self._index.expansion_search = setting[0]
        self._threads = threads

    def search(self, queries: Vectors, k: int) -> Vectors:
        """One call."""
        hits = self._index.search(queries, k, threads=self._threads)
        distances = np.asarray(hits.distances, np.float32).reshape(len(queries), -1)
        return 1 - distances


class Faiss:
    """A FAISS index by its factory string. A setting is (efSearch,) for HNSW."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.approximate = "HNSW" in description
        self._description = description
        self._threads = THREADS
        self._parameters: Any = None

    def build(self, vectors: Vectors, folder: Path) -> None:
        """In two threads."""
        faiss.omp_set_num_threads(THREADS)
        index = faiss.index_factory(vectors.shape[1], self._description, faiss.METRIC_INNER_PRODUCT)
        if self.approximate:
            index.hnsw.efConstruction = 100
        index.add(vectors)
        faiss.write_index(index, str(folder / "index"))

    def open(self, folder: Path) -> None:
        """Read into memory, as the others."""
        self._index = faiss.read_index(str(folder / "index"))

    def settings(self) -> list[Setting]:
        """Rising."""
        return [(effort,) for effort in EFFORTS] if self.approximate else [()]

    def set(self, setting: Setting, threads: int) -> None:
        """With the query."""
        self._parameters = faiss.SearchParametersHNSW(efSearch=setting[0]) if setting else None
        self._threads = threads

    def search(self, queries: Vectors, k: int) -> Vectors:
        """One call."""
        faiss.omp_set_num_threads(self._threads)
        scores, _ = self._index.search(queries, k, params=self._parameters)
        return np.asarray(scores, np.float32)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a build took: wall seconds, processor seconds of all threads, bytes on the disk."""

    seconds: float
    cpu_seconds: float
    bytes: int


def timed_build(engine: Engine, vectors: Vectors, folder: Path) -> Cost:
    """Builds into `folder`, which must be empty."""
    wall, cpu = time.perf_counter(), time.process_time()
    engine.build(vectors, folder)
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(seconds, cpu_seconds, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def engines(names: list[str]) -> dict[str, Engine]:
    """Those of these names."""
    known: list[Engine] = [
        Dejafake(),
        Hnswlib(300),
        Hnswlib(100),
        Usearch("f32"),
        Usearch("bf16"),
        Faiss("FAISS HNSW", "HNSW32"),
        Faiss("FAISS flat", "Flat"),
    ]
    return {engine.name: engine for engine in known if engine.name in names}


def _blocks(vectors: Vectors) -> Iterator[Block]:
    for start in range(0, len(vectors), 1 << 15):
        part = vectors[start : start + (1 << 15)]
        yield Block(np.arange(start, start + len(part)), part)
