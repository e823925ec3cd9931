"""The folder that holds the snapshots of one detector's index: written beside the old one, made current by one rename.

`CURRENT` names the snapshot in use. Files are never changed once named, so a process that still maps a snapshot removed
by another process can keep reading it. Building and sweeping need the folder's lock.
"""

import contextlib
import secrets
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import faiss
import numpy as np

from indexer.arrays import Vectors
from indexer.errors import FingerprintMismatchError, VectorIndexError
from indexer.index.vectors.durable import SealedFile, fsync_folder
from indexer.index.vectors.exact import Ids
from indexer.index.vectors.ivf import IvfParameters
from indexer.index.vectors.ivf_building import Trained, fill, train
from indexer.index.vectors.manifest import NAME, FileEntry, Manifest
from indexer.index.vectors.pointed import BUILDING, SNAPSHOT_NAME, PointedFolder
from indexer.index.vectors.tuning import Measured, tune

IDS = "ids.i64"
VECTORS = "vectors.f32"
IVF = "ivf.faiss"
ID_BYTES = 8
NUMBER_BYTES = 4
FAISS_WRITE_BYTES = 1 << 20
MORE_PROBES = 2
"""Times the lists probed before: an index that must probe more than that is trained anew."""
RECALL_ERROR = 0.005
"""How far the recall measured on a few hundred queries may fall below the target by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some rows of an index: `ids` [N] int64, `vectors` [N, D] float32, L2-normalised."""

    ids: Ids
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class SnapshotPlan:
    """How a snapshot is built: up to `exact_max` vectors without an IVF index, with `threads` OpenMP threads.

    An IVF index is tuned to a recall@10 of `recall_target` on `tuning_queries` held-out queries, and reuses the
    quantiser of the current snapshot while that reaches the target, unless `retrain`. `pause` is called between steps
    and may raise to abort.
    """

    exact_max: int
    threads: int
    pause: Callable[[], None] = lambda: None
    recall_target: float = 0.99
    tuning_queries: int = 256
    retrain: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotFolder(PointedFolder):
    """The snapshots of the detector `fingerprint`, whose embeddings have `dimension` numbers, in the folder `path`."""

    fingerprint: str
    dimension: int

    def manifest(self, name: str) -> Manifest:
        """The manifest of the snapshot `name`.

        Raises:
            FingerprintMismatchError: it was built from another detector's embeddings.
            VectorIndexError: it is missing, unreadable, changed or of another dimension.
        """
        manifest = Manifest.read(self.path / name)
        if manifest.fingerprint != self.fingerprint:
            raise FingerprintMismatchError(
                f"the vector index in {self.path} belongs to another detector (it has {manifest.fingerprint[:12]}, "
                f"in use is {self.fingerprint[:12]}): run `dejafake index build` to replace it"
            )
        if manifest.dimension != self.dimension or not _is_whole(manifest):
            raise VectorIndexError(f"the vector index in {self.path} is damaged: its manifest contradicts itself")
        return manifest

    def write(self, blocks: Iterable[Block], watermark: int, tombstone_watermark: int, plan: SnapshotPlan) -> str:
        """Build a snapshot from `blocks`, make it current, then remove the others. Needs the lock.

        Returns:
            The name of the new snapshot.

        Raises:
            VectorIndexError: it could not be written (full disk, no permission); the old snapshot stays current and
                nothing half-written is left.
        """
        with self.errors():
            self.path.mkdir(parents=True, exist_ok=True)
            self.sweep()
            building = self.path / f"{BUILDING}{secrets.token_hex(8)}"
            building.mkdir()
            try:
                manifest = self._fill(building, blocks, watermark, tombstone_watermark, plan)
                name = f"{manifest.snapshot}-{secrets.token_hex(4)}"
                building.rename(self.path / name)
                fsync_folder(self.path)
                self.make_current(name)
            except BaseException:
                shutil.rmtree(building, ignore_errors=True)
                raise
        self.sweep()
        return name

    def sweep(self) -> None:
        """Remove everything but the current snapshot: older ones and leftovers of killed builds. Needs the lock. What
        cannot be removed now (mapped files on Windows) stays until the next time.
        """
        try:
            current = self.current()
        except VectorIndexError:
            current = None
        with contextlib.suppress(OSError):
            for entry in list(self.path.iterdir()):
                if entry.name == current:
                    continue
                if entry.is_dir() and (entry.name.startswith(BUILDING) or SNAPSHOT_NAME.fullmatch(entry.name)):
                    shutil.rmtree(entry, ignore_errors=True)
                elif entry.name.startswith(BUILDING):
                    entry.unlink()

    def _fill(
        self, folder: Path, blocks: Iterable[Block], watermark: int, tombstone_watermark: int, plan: SnapshotPlan
    ) -> Manifest:
        with SealedFile(folder / IDS) as ids, SealedFile(folder / VECTORS) as vectors:
            for block in blocks:
                plan.pause()
                ids.write(np.ascontiguousarray(block.ids, "<i8"))
                vectors.write(np.ascontiguousarray(block.vectors, "<f4"))
        files = [ids.entry, vectors.entry]
        count = ids.entry.size // ID_BYTES
        parameters: dict[str, int] = {}
        measured: Measured | None = None
        if count > plan.exact_max:
            built, measured = self._build(map_vectors(folder / VECTORS, count, self.dimension), plan)
            parameters = dict(built.parameters.as_mapping())
            files.append(_write_index(built, folder / IVF))
        manifest = Manifest(
            format=2,
            snapshot="",
            fingerprint=self.fingerprint,
            dimension=self.dimension,
            count=count,
            kind="ivf" if parameters else "exact",
            parameters=parameters,
            watermark=watermark,
            tombstone_watermark=tombstone_watermark,
            recall=measured.recall if measured else None,
            milliseconds=measured.milliseconds if measured else None,
            built_at=datetime.now(UTC).isoformat(timespec="seconds"),
            files=tuple(files),
            digest="",
        ).sealed()
        with SealedFile(folder / NAME) as file:
            file.write(manifest.to_json().encode())
        fsync_folder(folder)
        return manifest

    def _build(self, rows: Vectors, plan: SnapshotPlan) -> tuple[Trained, Measured]:
        """The tuned index of all `rows`, reusing the current snapshot's quantiser if that is good enough."""
        earlier = None if plan.retrain else self._trained(plan.pause)
        if earlier is not None and earlier.suits(*rows.shape):
            built, measured = _filled(earlier.emptied(), rows, plan)
            most = earlier.parameters.probes * MORE_PROBES
            if measured.recall >= plan.recall_target - RECALL_ERROR and built.parameters.probes <= most:
                return built, measured
        return _filled(train(rows, plan.threads, plan.pause), rows, plan)

    def _trained(self, pause: Callable[[], None]) -> Trained | None:
        """The IVF index of the current snapshot, None if there is no usable one."""
        try:
            name = self.current()
            if name is None or (manifest := self.manifest(name)).kind != "ivf":
                return None
            manifest.entry(IVF).check(self.path / name, pause=pause)
            index = faiss.read_index(str(self.path / name / IVF), faiss.IO_FLAG_MMAP_IFC)
            return Trained(index, IvfParameters(**manifest.parameters))
        except (VectorIndexError, RuntimeError, TypeError):
            return None


def _filled(trained: Trained, rows: Vectors, plan: SnapshotPlan) -> tuple[Trained, Measured]:
    fill(trained, rows, plan.threads, plan.pause)
    return tune(trained, rows, plan.recall_target, plan.tuning_queries, plan.threads, plan.pause)


def _write_index(built: Trained, path: Path) -> FileEntry:
    with SealedFile(path) as file:
        faiss.write_index(built.index, faiss.PyCallbackIOWriter(file.write, FAISS_WRITE_BYTES))
    return file.entry


def map_vectors(path: Path, count: int, dimension: int) -> Vectors:
    """The memory-mapped rows [count, dimension] of a file of raw little-endian float32."""
    if count == 0:
        return np.empty((0, dimension), np.float32)
    return np.asarray(np.memmap(path, "<f4", "r", shape=(count, dimension)))


def _is_whole(manifest: Manifest) -> bool:
    """Whether the listed files are consistent with the rest of the manifest."""
    sizes = {entry.name: entry.size for entry in manifest.files}
    return (
        sizes.get(IDS) == manifest.count * ID_BYTES
        and sizes.get(VECTORS) == manifest.count * manifest.dimension * NUMBER_BYTES
        and (IVF in sizes) == (manifest.kind == "ivf")
    )
