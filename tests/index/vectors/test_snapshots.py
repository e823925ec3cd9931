"""Snapshots promise: all or nothing on the disk, one builder at a time, and that damage is noticed, never served."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import FingerprintMismatchError, VectorIndexError
from indexer.index.vectors import Block, SnapshotFolder, SnapshotPlan, VectorStore

ROWS = 2_000

BUILD = """
import sys
from pathlib import Path
import numpy as np
from indexer.index.vectors import Block, SnapshotFolder, SnapshotPlan

def blocks():
    for start in range(0, 4000, 500):
        if start == 2000:
            print("halfway", flush=True)
            sys.stdin.read()
        yield Block(np.arange(start, start + 500), np.eye(384, dtype=np.float32)[np.arange(500) % 384])

folder = SnapshotFolder(Path(sys.argv[1]), "f" * 64, 384)
with folder.lock(wait=False) as ours:
    print("ours" if ours else "taken", flush=True)
    if ours:
        folder.write(blocks(), 9, 9, SnapshotPlan(exact_max=1_000_000, threads=1))
"""

FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from indexer.errors import VectorIndexError
from indexer.index.vectors import SnapshotFolder, SnapshotPlan, VectorStore

store = VectorStore.open(SnapshotFolder(Path(sys.argv[1]), "f" * 64, 384), threads=1)
rng = np.random.default_rng(0)
more = rng.standard_normal((3000, 384)).astype(np.float32)
store.add(np.arange(10_000, 13_000), more / np.linalg.norm(more, axis=1, keepdims=True), 99)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    with store.folder.lock(wait=False):
        store.write_snapshot(SnapshotPlan(exact_max=int(sys.argv[3]), threads=1))
except VectorIndexError as error:
    print(error)
"""

FULL_DISK_IVF = """
import sys
from pathlib import Path
import numpy as np
from indexer.errors import VectorIndexError
from indexer.index.vectors import SnapshotFolder, SnapshotPlan, VectorStore

def vectors(count):
    made = np.random.default_rng(count).standard_normal((count, 384)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)

folder = SnapshotFolder(Path(sys.argv[1]), "f" * 64, 384)
store = VectorStore.open(folder, threads=1)
store.add(np.arange(500), vectors(500), 1)
with folder.lock(wait=False):
    store.write_snapshot(SnapshotPlan(exact_max=1000, threads=1))
before = sorted(entry.name for entry in folder.path.iterdir())
store.add(np.arange(500, 3500), vectors(3000), 2)
try:
    with folder.lock(wait=False):
        store.write_snapshot(SnapshotPlan(exact_max=1000, threads=1))
except VectorIndexError as error:
    print(error)
assert sorted(entry.name for entry in folder.path.iterdir()) == before
assert VectorStore.open(folder).count == 500
"""


@pytest.fixture
def saved(folder: SnapshotFolder, clustered: Callable, blocks_of: Callable, exact_plan: SnapshotPlan) -> str:
    """Name of a snapshot of ROWS vectors, current in `folder`."""
    vectors, _ = clustered(ROWS, 1)
    with folder.lock(wait=False):
        return folder.write(blocks_of(np.arange(ROWS), vectors), 40, 5, exact_plan)


def names(folder: SnapshotFolder) -> set[str]:
    return {entry.name for entry in folder.path.iterdir()}


def test_what_was_written_is_there_after_reopening(folder: SnapshotFolder, saved: str, clustered: Callable) -> None:
    vectors, _ = clustered(ROWS, 1)
    store = VectorStore.open(folder)
    assert (store.snapshot, store.count, store.watermark, store.tombstone_watermark) == (saved, ROWS, 40, 5)
    np.testing.assert_array_equal(store.search(vectors[:50], 1).ids[:, 0], np.arange(50))


def test_without_a_snapshot_the_store_is_empty(folder: SnapshotFolder) -> None:
    store = VectorStore.open(folder)
    assert (store.snapshot, store.count, store.watermark) == (None, 0, 0)


def test_an_empty_snapshot_is_one(folder: SnapshotFolder, exact_plan: SnapshotPlan) -> None:
    with folder.lock(wait=False):
        folder.write(iter(()), 7, 3, exact_plan)
    store = VectorStore.open(folder)
    assert (store.count, store.watermark, store.tombstone_watermark) == (0, 7, 3)
    assert store.search(np.eye(384, dtype=np.float32)[:2], 3).ids.tolist() == [[-1] * 3] * 2


def test_a_snapshot_replaces_the_one_before_and_those_who_read_that_go_on(
    folder: SnapshotFolder, saved: str, clustered: Callable, exact_plan: SnapshotPlan
) -> None:
    vectors, _ = clustered(ROWS, 1)
    reader, writer = VectorStore.open(folder), VectorStore.open(folder)
    writer.delete(np.arange(10), 6)
    with folder.lock(wait=False):
        newer = writer.write_snapshot(exact_plan)
    assert names(folder) == {newer, "CURRENT", "build.lock"}
    np.testing.assert_array_equal(reader.search(vectors[:20], 1).ids[:, 0], np.arange(20))
    assert VectorStore.open(folder).count == ROWS - 10


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a flipped bit in the ids": lambda at: flip_a_bit(at / "ids.i64"),
    "a truncated file": lambda at: os.truncate(at / "vectors.f32", 1_000),
    "a file that grew": lambda at: (at / "ids.i64").write_bytes((at / "ids.i64").read_bytes() + b"\0"),
    "a missing file": lambda at: (at / "vectors.f32").unlink(),
    "a missing manifest": lambda at: (at / "manifest.json").unlink(),
    "a manifest that is not JSON": lambda at: (at / "manifest.json").write_bytes(b"\xff{"),
    "a manifest with another watermark": lambda at: (at / "manifest.json").write_text(
        (at / "manifest.json").read_text().replace('"watermark": 40', '"watermark": 41')
    ),
    "a manifest that names a file elsewhere": lambda at: (at / "manifest.json").write_text(
        (at / "manifest.json").read_text().replace("ids.i64", "../ids.i64")
    ),
    "a pointer to nowhere": lambda at: (at.parent / "CURRENT").write_text("0123456789ab-01234567\n"),
    "a pointer out of the folder": lambda at: (at.parent / "CURRENT").write_text("../elsewhere\n"),
    "a snapshot folder that is gone": lambda at: at.rename(at.parent.parent / "gone"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_one_clear_error_and_a_new_snapshot_mends_it(
    folder: SnapshotFolder, saved: str, damage: str, exact_plan: SnapshotPlan
) -> None:
    DAMAGE[damage](folder.path / saved)
    with pytest.raises(VectorIndexError) as raised:
        VectorStore.open(folder)
    assert str(folder.path) in str(raised.value)
    assert "\n" not in str(raised.value)
    with folder.lock(wait=False):
        newer = VectorStore(folder, None).write_snapshot(exact_plan)
    assert VectorStore.open(folder).count == 0
    assert names(folder) == {newer, "CURRENT", "build.lock"}


def test_damaged_vectors_are_found_when_they_are_checked(folder: SnapshotFolder, saved: str) -> None:
    VectorStore.open(folder).check()
    flip_a_bit(folder.path / saved / "vectors.f32")
    store = VectorStore.open(folder)
    with pytest.raises(VectorIndexError, match=r"vectors\.f32 is damaged"):
        store.check()


def test_an_index_of_another_detector_is_refused(folder: SnapshotFolder, saved: str) -> None:
    other = SnapshotFolder(folder.path, "0" * 64, 384)
    with pytest.raises(FingerprintMismatchError, match="dejafake index build"):
        VectorStore.open(other)


def test_every_file_has_its_size_and_checksum_in_the_manifest(folder: SnapshotFolder, saved: str) -> None:
    entries = json.loads((folder.path / saved / "manifest.json").read_text())["files"]
    assert {entry["name"]: entry["size"] for entry in entries} == {"ids.i64": ROWS * 8, "vectors.f32": ROWS * 1536}
    assert all(len(entry["sha256"]) == 64 for entry in entries)


def test_a_build_that_fails_leaves_the_old_snapshot_and_nothing_else(
    folder: SnapshotFolder, saved: str, exact_plan: SnapshotPlan
) -> None:
    before = names(folder)

    def blocks() -> Iterator[Block]:
        yield Block(np.arange(3), np.eye(384, dtype=np.float32)[:3])
        raise KeyboardInterrupt

    with folder.lock(wait=False), pytest.raises(KeyboardInterrupt):
        folder.write(blocks(), 9, 9, exact_plan)
    assert names(folder) == before
    assert VectorStore.open(folder).count == ROWS


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
@pytest.mark.parametrize(
    ("limit", "exact_max"),
    [(1_000_000, 10_000), (39_000, 10_000)],
    ids=["vectors", "ids"],
)
def test_a_full_disk_is_one_clear_error_and_the_old_snapshot_stays(
    folder: SnapshotFolder, saved: str, limit: int, exact_max: int
) -> None:
    before = names(folder)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(folder.path), str(limit), str(exact_max)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "could not be written" in done.stdout
    assert "the previous one stays in use" in done.stdout
    assert done.stdout.count("\n") == 1
    assert names(folder) == before
    assert VectorStore.open(folder).count == ROWS


def test_a_disk_that_is_full_when_the_ivf_index_is_written_is_the_same_clear_error(tmp_path: Path) -> None:
    vectors, index = 4_000 * 1_544, 3_500 * 104
    mount = f'mount -t tmpfs -o size={vectors + index // 2} tmpfs "$2" && exec "$0" -c "$1" "$2"'
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*alone, "mount -t tmpfs tmpfs /tmp"], check=False).returncode:
        pytest.skip("needs Linux and the right to mount a small file system of its own")
    done = subprocess.run([*alone, mount, sys.executable, FULL_DISK_IVF, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "could not be written" in done.stdout
    assert "No space left" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_builder_killed_halfway_leaves_the_old_snapshot_and_its_rest_is_swept_by_the_next(
    folder: SnapshotFolder, saved: str, clustered: Callable, exact_plan: SnapshotPlan
) -> None:
    vectors, _ = clustered(ROWS, 1)
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "ours\n"
        assert builder.stdout.readline() == "halfway\n"
        with folder.lock(wait=False) as ours:
            assert not ours  # one builder at a time, across processes
        builder.kill()
    assert any(name.startswith("building-") for name in names(folder))
    store = VectorStore.open(folder)
    assert (store.snapshot, store.count) == (saved, ROWS)
    np.testing.assert_array_equal(store.search(vectors[:50], 1).ids[:, 0], np.arange(50))
    with folder.lock(wait=False) as ours:
        assert ours  # the system let go of the dead process's lock
        newer = store.write_snapshot(exact_plan)
    assert names(folder) == {newer, "CURRENT", "build.lock"}
    np.testing.assert_array_equal(VectorStore.open(folder).search(vectors[:50], 1).ids[:, 0], np.arange(50))


def test_the_lock_is_not_given_twice_in_one_process_either(folder: SnapshotFolder) -> None:
    with folder.lock(wait=False) as first, folder.lock(wait=False) as second:
        assert first
        assert not second
    with folder.lock(wait=False) as again:
        assert again


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = SnapshotFolder(tmp_path / "file" / "index", "f" * 64, 384)
    with pytest.raises(VectorIndexError, match="could not be written"), folder.lock(wait=False):
        pass
