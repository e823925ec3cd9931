"""Originals are stored whole or not at all, under their hash and nowhere else."""

import hashlib
import threading
from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.files.media import MediaStore

DATA = b"the bytes of a picture"
NAME = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def test_what_was_put_is_got_and_deleted_once(store: MediaStore, tmp_path: Path) -> None:
    assert store.get(NAME) is None
    store.put(NAME, DATA)
    assert store.get(NAME) == DATA
    assert store.path(NAME) == tmp_path / "media" / NAME[:2] / NAME[2:4] / NAME
    assert store.delete(NAME) is True
    assert store.delete(NAME) is False
    assert store.get(NAME) is None


def test_putting_again_leaves_the_file_as_it_is(store: MediaStore) -> None:
    store.put(NAME, DATA)
    before = store.path(NAME).stat()
    store.put(NAME, DATA)
    assert store.path(NAME).stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", NAME.upper(), NAME[:-1], NAME + "0", "/" + NAME[1:], NAME[:-1] + "\n"]
)
def test_names_that_are_no_hash_are_refused_by_every_method(name: str, store: MediaStore, tmp_path: Path) -> None:
    for use in (store.path, store.get, store.delete, lambda sha256: store.put(sha256, DATA)):
        with pytest.raises(UsageError, match="SHA-256"):
            use(name)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing(store: MediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("indexer.files.media.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.put(NAME, DATA)
    assert store.get(NAME) is None
    assert list(store.path(NAME).parent.iterdir()) == []


def test_what_a_killed_write_left_is_removed_and_never_read(store: MediaStore) -> None:
    target = store.path(NAME)
    target.parent.mkdir(parents=True)
    (target.parent / f"{NAME}.0123456789abcdef.part").write_bytes(DATA[:5])
    assert store.get(NAME) is None
    store.put(NAME, DATA)
    assert [path.name for path in target.parent.iterdir()] == [NAME]


def test_a_file_of_the_wrong_length_is_replaced(store: MediaStore) -> None:
    store.put(NAME, DATA)
    store.path(NAME).write_bytes(DATA[:3])
    store.put(NAME, DATA)
    assert store.get(NAME) == DATA


def test_many_writers_of_one_image_agree(store: MediaStore) -> None:
    large = DATA * 20_000
    failures: list[Exception] = []

    def write() -> None:
        try:
            store.put(NAME, large)
            assert store.get(NAME) == large
        except Exception as error:  # noqa: BLE001 - whatever it is, the test fails with it
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [path.name for path in store.path(NAME).parent.iterdir()] == [NAME]


def test_derived_files_are_not_synced_and_an_empty_one_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise AssertionError("synced")

    monkeypatch.setattr("indexer.files.media.os.fsync", refuse)
    store = MediaStore(tmp_path, derived=True)
    store.put(NAME, DATA)
    assert store.get(NAME) == DATA
    store.path(NAME).write_bytes(b"")
    assert store.get(NAME) is None
    store.put(NAME, DATA)
    assert store.get(NAME) == DATA
