"""The folder that holds the snapshots of one detector's index: written beside the old one, made current by one rename.

`CURRENT` names the snapshot in use. Files are never changed once they have a name, so a process that still maps a
snapshot removed by another keeps reading what it opened. Building and sweeping need the folder's lock.
"""

import contextlib
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import faiss
import numpy as np
from filelock import FileLock, Timeout

from indexer.errors import FingerprintMismatchError, VectorIndexError
from indexer.vectors.durable import SealedFile, fsync_folder
from indexer.vectors.exact import Ids, Vectors
from indexer.vectors.ivf import IvfParameters
from indexer.vectors.ivf_building import Trained, fill, train
from indexer.vectors.manifest import NAME, FileEntry, Manifest
from indexer.vectors.tuning import Measured, tune

CURRENT = "CURRENT"
LOCK = "build.lock"
IDS = "ids.i64"
VECTORS = "vectors.f32"
IVF = "ivf.faiss"
ID_BYTES = 8
NUMBER_BYTES = 4
BUILDING = "building-"
SNAPSHOT_NAME = re.compile(r"[0-9a-f]{12}-[0-9a-f]{8}")
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

    An IVF index is tuned to a recall@10 of `recall_target` on `tuning_queries` held-out queries, and takes over the
    trained part of the current snapshot while that reaches it, unless `retrain`. `pause` is called between steps and
    may raise to give up.
    """

    exact_max: int
    threads: int
    pause: Callable[[], None] = lambda: None
    recall_target: float = 0.99
    tuning_queries: int = 256
    retrain: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotFolder:
    """The snapshots of the detector `fingerprint`, whose embeddings have `dimension` numbers, in the folder `path`."""

    path: Path
    fingerprint: str
    dimension: int

    def current(self) -> str | None:
        """Name of the snapshot in use, None when there is none.

        Raises:
            VectorIndexError: the pointer is unreadable or names no snapshot.
        """
        try:
            name = (self.path / CURRENT).read_bytes()[:64].decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise VectorIndexError(f"the vector index in {self.path} cannot be read: {error.strerror}") from error
        if not SNAPSHOT_NAME.fullmatch(name):
            raise VectorIndexError(f"the vector index in {self.path} is damaged: {CURRENT} names no snapshot")
        return name

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

    @contextlib.contextmanager
    def lock(self, *, wait: bool) -> Iterator[bool]:
        """Hold the right to build and sweep in this folder; the system lets go of it when a process is killed.

        Yields:
            Whether the lock was got; always true with `wait`.
        """
        with self._errors():
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / LOCK, thread_local=False, is_singleton=False)
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=-1 if wait else 0)
        try:
            yield lock.is_locked
        finally:
            lock.release()

    def write(self, blocks: Iterable[Block], watermark: int, tombstone_watermark: int, plan: SnapshotPlan) -> str:
        """Build a snapshot from `blocks`, make it current, then remove the others. Needs the lock.

        Returns:
            The name of the new snapshot.

        Raises:
            VectorIndexError: it could not be written (full disk, no permission); the old snapshot stays current and
                nothing half-written is left.
        """
        with self._errors():
            self.path.mkdir(parents=True, exist_ok=True)
            self.sweep()
            building = self.path / f"{BUILDING}{secrets.token_hex(8)}"
            building.mkdir()
            try:
                manifest = self._fill(building, blocks, watermark, tombstone_watermark, plan)
                name = f"{manifest.snapshot}-{secrets.token_hex(4)}"
                building.rename(self.path / name)
                fsync_folder(self.path)
                self._make_current(name)
            except BaseException:
                shutil.rmtree(building, ignore_errors=True)
                raise
        self.sweep()
        return name

    def sweep(self) -> None:
        """Remove what is not the current snapshot: older ones and what a killed build left. Needs the lock.

        What cannot be removed now (Windows keeps files that are mapped) stays for the next time.
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
        manifest = Manifest.sealed(
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
        )
        with SealedFile(folder / NAME) as file:
            file.write(manifest.to_json().encode())
        fsync_folder(folder)
        return manifest

    def _build(self, rows: Vectors, plan: SnapshotPlan) -> tuple[Trained, Measured]:
        """The tuned index of all `rows`, on the quantiser of the current snapshot while that is good enough."""
        earlier = None if plan.retrain else self._trained(plan.pause)
        if earlier is not None and earlier.suits(*rows.shape):
            built, measured = _filled(earlier.emptied(), rows, plan)
            most = earlier.parameters.probes * MORE_PROBES
            if measured.recall >= plan.recall_target - RECALL_ERROR and built.parameters.probes <= most:
                return built, measured
        return _filled(train(rows, plan.threads, plan.pause), rows, plan)

    def _trained(self, pause: Callable[[], None]) -> Trained | None:
        """The IVF index of the current snapshot, None when there is none that can be used."""
        try:
            name = self.current()
            if name is None or (manifest := self.manifest(name)).kind != "ivf":
                return None
            manifest.entry(IVF).check(self.path / name, pause=pause)
            index = faiss.read_index(str(self.path / name / IVF), faiss.IO_FLAG_MMAP_IFC)
            return Trained(index, IvfParameters(**manifest.parameters))
        except (VectorIndexError, RuntimeError, TypeError):
            return None

    def _make_current(self, name: str) -> None:
        pointer = self.path / f"{BUILDING}{secrets.token_hex(8)}"
        with SealedFile(pointer) as file:
            file.write(f"{name}\n".encode())
        pointer.replace(self.path / CURRENT)
        fsync_folder(self.path)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise VectorIndexError(
                f"the vector index could not be written to {self.path}: {error.strerror or error}; the previous one "
                "stays in use. Make room (or allow writing there), then run `dejafake index build`"
            ) from error


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
    """Whether the files listed are those the rest of the manifest speaks of."""
    sizes = {entry.name: entry.size for entry in manifest.files}
    return (
        sizes.get(IDS) == manifest.count * ID_BYTES
        and sizes.get(VECTORS) == manifest.count * manifest.dimension * NUMBER_BYTES
        and (IVF in sizes) == (manifest.kind == "ivf")
    )
