"""The search index is a cache: whatever happens to its files, answers stay those of the catalogue."""

import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from indexer.errors import FingerprintMismatchError, VectorIndexError
from indexer.index import SearchIndex
from indexer.index.live import LiveIndex

FINGERPRINT = "f" * 64

HALT_WHILE_BUILDING = """
import sys
from pathlib import Path
from indexer.catalog.database import Catalog
from indexer.index import SearchIndex
from indexer.settings import Settings

class Halting(SearchIndex):
    def _give_up_when_closing(self):
        print("building", flush=True)
        sys.stdin.read()

settings = Settings.load(home=Path(sys.argv[1]), threads=1)
Halting(Catalog.open(settings.catalog_url), settings, "f" * 64).build()
"""

FULL_DISK = """
import resource, sys
from pathlib import Path
from indexer.catalog.database import Catalog
from indexer.errors import VectorIndexError
from indexer.index import SearchIndex
from indexer.settings import Settings

settings = Settings.load(home=Path(sys.argv[1]), threads=1, tail_merge_at=50)
index = SearchIndex(Catalog.open(settings.catalog_url), settings, "f" * 64)
index.status()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000,) * 2)
index.refresh()
index.settle()
try:
    index.build()
except VectorIndexError as error:
    print(error)
try:
    index.bring_up_to_date()
except VectorIndexError as error:
    print(error)
print(index.status().problem)
print(index.status().state, index.size, index.verify().ok)
"""


def snapshot_folder(archive: Any) -> Path:
    folder = archive.settings.index_dir / FINGERPRINT
    return folder / (folder / "CURRENT").read_text().strip()


@pytest.fixture
def built(archive: Any, open_index: Callable) -> Any:
    """The archive with 60 images, all in a snapshot, 3 of them deleted since and 10 more added."""
    ids = archive.plant(60)
    assert open_index().build().count == 60
    archive.delete(ids[:3])
    archive.plant(10)
    return archive


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[1_000] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", ["a flipped bit", "a missing file", "a bad pointer", "no manifest"])
def test_a_damaged_snapshot_is_rebuilt_with_a_warning_and_answers_stay_right(
    built: Any, open_index: Callable, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    at = snapshot_folder(built)
    match damage:
        case "a flipped bit":
            flip_a_bit(at / "vectors.f32")
        case "a missing file":
            (at / "ids.i64").unlink()
        case "a bad pointer":
            (at.parent / "CURRENT").write_text("nonsense")
        case "no manifest":
            (at / "manifest.json").unlink()
    index = open_index()
    with caplog.at_level(logging.WARNING, "indexer"):
        assert index.status().state == "damaged"
    assert str(at.parent) in caplog.text
    assert not open_index().verify().ok
    built.check(index)
    index.refresh()
    index.settle()
    assert index.status().state == "ready"
    assert index.verify().ok
    built.check(index)
    built.check(open_index())


def test_damaged_vectors_are_found_in_the_background(
    built: Any, open_index: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    flip_a_bit(snapshot_folder(built) / "vectors.f32")
    index = open_index()
    with caplog.at_level(logging.WARNING, "indexer"):
        index.refresh()  # opens at once, and starts to check
        index.settle()
    assert "vectors.f32 is damaged" in caplog.text
    built.check(index)
    assert index.status().state == "ready"


def test_damage_is_not_merged_into_a_sound_snapshot(built: Any, open_index: Callable) -> None:
    flip_a_bit(snapshot_folder(built) / "vectors.f32")
    index = open_index()
    built.plant(built.settings.tail_merge_at)
    index.bring_up_to_date()
    assert index.verify().ok
    built.check(index)


def test_an_index_folder_that_is_deleted_is_built_again(built: Any, open_index: Callable) -> None:
    index = open_index()
    index.refresh()
    index.settle()  # the check of the vectors reads the files
    shutil.rmtree(built.settings.index_dir)
    built.check(index)
    assert index.status().state == "missing"
    index.refresh()
    index.settle()
    assert index.status().state == "ready"
    built.check(index)


def test_a_glance_opens_and_mends_in_the_background_and_tells_an_index_of_another_detector(
    built: Any, open_index: Callable
) -> None:
    index = open_index()
    assert index.glance().state == "opening"
    index.settle()
    assert (index.glance().state, index.glance().count) == ("ready", len(built.vectors))
    shutil.rmtree(built.settings.index_dir)
    assert index.glance().state == "missing"
    index.settle()
    assert index.glance().state == "ready"
    shutil.copytree(built.settings.index_dir / FINGERPRINT, built.settings.index_dir / ("0" * 64))
    theirs = SearchIndex(built.catalog, built.settings, "0" * 64)
    assert theirs.glance().state in ("opening", "other_detector")  # it may have opened already
    theirs.settle()
    told = theirs.glance()
    assert (told.state, told.count) == ("other_detector", 0)
    assert "another detector" in (told.problem or "")
    theirs.close()


def test_a_glance_at_an_index_that_is_behind_has_it_catch_up(built: Any, open_index: Callable) -> None:
    index = open_index()
    index.refresh()
    index.settle()
    built.plant(3)
    assert index.glance().state == "ready"
    index.settle()
    assert index.glance().count == len(built.vectors)


def test_an_index_of_another_detector_is_never_read_and_replaced_by_a_build(built: Any, open_index: Callable) -> None:
    theirs = built.settings.index_dir / ("0" * 64)
    shutil.copytree(built.settings.index_dir / FINGERPRINT, theirs)
    index = SearchIndex(built.catalog, built.settings, "0" * 64)
    for use in (index.refresh, index.bring_up_to_date, lambda: index.size):
        with pytest.raises(FingerprintMismatchError, match="another detector") as raised:
            use()
        assert "\n" not in str(raised.value)
    status = index.status()
    assert (status.state, status.count) == ("other_detector", 0)
    assert not index.verify().ok
    assert index.build().state == "ready"
    assert index.size == 0  # that detector has no embeddings here
    index.close()


def test_an_index_of_another_catalogue_is_not_believed(
    built: Any, open_index: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    """A catalogue begun anew gives the same ids to other images."""
    open_index().bring_up_to_date()
    for file in built.settings.home.glob("catalogue.sqlite*"):
        file.unlink()
    other = type(built).at(built.settings.home, tail_merge_at=50)
    other.planted = 1_000
    ids = other.plant(70)
    other.delete(ids[:3])
    index = SearchIndex(other.catalog, other.settings, FINGERPRINT)
    with caplog.at_level(logging.WARNING, "indexer"):
        index.refresh()
    assert "than the catalogue" in caplog.text
    other.check(index)
    index.settle()
    assert index.status().state == "ready"
    other.check(index)
    index.close()
    other.catalog.close()


def test_processes_follow_the_snapshot_of_the_one_that_builds(built: Any, open_index: Callable) -> None:
    reader, builder = open_index(), open_index()
    reader.refresh()
    before = reader.snapshot_id
    built.plant(45)
    builder.refresh()
    builder.settle()
    reader.refresh()
    reader.settle()
    assert reader.snapshot_id == builder.snapshot_id != before
    assert reader.status().tail == 0
    built.check(reader)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_process_killed_while_building_changes_no_answer_and_its_rest_is_swept(
    built: Any, open_index: Callable
) -> None:
    folder = built.settings.index_dir / FINGERPRINT
    before = snapshot_folder(built)
    with subprocess.Popen(
        [sys.executable, "-c", HALT_WHILE_BUILDING, str(built.settings.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "building\n"
        waiting = open_index()
        built.plant(50)
        waiting.refresh()  # a merge is due, but another process is building
        waiting.settle()
        assert snapshot_folder(built) == before
        built.check(waiting)
        builder.kill()
    assert list(folder.glob("building-*"))
    index = open_index()
    index.refresh()
    built.check(index)
    index.settle()
    assert snapshot_folder(built) != before
    assert not list(folder.glob("building-*"))
    built.check(index)
    built.check(open_index())


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_a_full_disk_is_reported_and_changes_no_answer(built: Any, open_index: Callable) -> None:
    built.plant(50)
    before = snapshot_folder(built)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(built.settings.home)], capture_output=True, text=True, check=True
    )
    *errors, answers = done.stdout.splitlines()
    assert len(errors) == 3
    assert all("could not be written" in error and "previous one stays in use" in error for error in errors)
    assert answers == "ready 117 True"
    assert snapshot_folder(built) == before
    built.check(open_index())


def test_closing_drops_the_build_under_way_and_leaves_nothing_behind(built: Any, open_index: Callable) -> None:
    building = Event()

    class Slow(SearchIndex):
        def _give_up_when_closing(self) -> None:
            building.set()
            self._closing.wait()
            super()._give_up_when_closing()

    before = snapshot_folder(built)
    built.plant(50)
    index = open_index(Slow)
    index.refresh()
    assert building.wait(60)
    built.check(index)  # searches do not wait for it
    index.close()
    assert snapshot_folder(built) == before
    assert not list(before.parent.glob("building-*"))


def test_bringing_up_to_date_waits_until_the_snapshot_is_written(archive: Any, open_index: Callable) -> None:
    archive.plant(60)
    index = open_index()
    index.bring_up_to_date()
    assert (index.status().state, index.status().tail) == ("ready", 0)
    written = snapshot_folder(archive)
    archive.plant(3)
    index.bring_up_to_date()
    assert snapshot_folder(archive) == written  # a short tail is served as it is
    archive.check(index)


def test_a_home_that_cannot_be_written_is_one_clear_error(archive: Any, open_index: Callable) -> None:
    archive.plant(3)
    archive.settings.index_dir.write_text("in the way")
    index = open_index()
    with pytest.raises(VectorIndexError, match="could not be written"):
        index.build()


@pytest.mark.parametrize("failure", [RuntimeError("nobody foresaw this"), MemoryError()])
def test_upkeep_that_fails_however_is_told_and_searches_go_on(
    built: Any, open_index: Callable, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def broken(_live: LiveIndex, *, wait: bool) -> None:
        raise failure

    shutil.rmtree(snapshot_folder(built))
    index = open_index()
    monkeypatch.setattr(LiveIndex, "maintain", broken)
    index.refresh()
    index.settle()
    built.check(index)
    assert "upkeep" in (index.status().problem or "")
    monkeypatch.undo()
    assert index.build().problem is None
