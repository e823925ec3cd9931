"""A catalogue moves over to another detector: everything once, nothing lost, the old one untouched."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import images
from indexer.cli.app import run
from indexer.detector import Detector, load_detector
from indexer.errors import ConflictError, DetectorError
from indexer.imaging.decoding import sha256_hex
from indexer.index import SearchIndex
from indexer.ingest.report import IngestOptions
from indexer.reindex.run import Reindex
from indexer.settings import Settings
from indexer.sources import SourceItem
from indexer.vocabulary import LabelSource, LabelValue
from indexer.workspace import Workspace
from tests.made_pictures import png
from tests.tiny_detectors import tiny_detector

PICTURES = 9
BATCH = 2


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of an old and a new detector."""
    parent = tmp_path_factory.mktemp("detectors")
    return tiny_detector(parent / "old", seed=1), tiny_detector(parent / "new", seed=2)


@pytest.fixture(scope="module")
def new(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Detector:
    return load_detector(Settings.load(home=tmp_path_factory.mktemp("home"), batch_size=BATCH), str(folders[1]))


@pytest.fixture(scope="module")
def moved_from(tmp_path_factory: pytest.TempPathFactory, folders: tuple[Path, Path]) -> Path:
    """A home of nine scenes the old detector has seen: five labelled fake, three authentic, one not at all."""
    home = tmp_path_factory.mktemp("moved-from") / "home"
    with Workspace(settings_of(home, folders)) as workspace:
        ingest(workspace, range(5), LabelValue.FAKE)
        ingest(workspace, range(5, 8), LabelValue.AUTHENTIC)
        ingest(workspace, range(8, PICTURES))
    return home


@pytest.fixture
def workspace(tmp_path: Path, moved_from: Path, folders: tuple[Path, Path]) -> Iterator[Workspace]:
    """A copy of that home, open."""
    home = shutil.copytree(moved_from, tmp_path / "home")
    with Workspace(settings_of(home, folders)) as opened:
        yield opened


def settings_of(home: Path, folders: tuple[Path, Path]) -> Settings:
    return Settings.load(home=home, detector=str(folders[0]), batch_size=BATCH, precision="fp32")


def ingest(workspace: Workspace, numbers: range, label: LabelValue | None = None) -> None:
    items = [SourceItem("desk.csv", f"{number}.png", lambda number=number: png(number)) for number in numbers]
    options = IngestOptions(label=label, stated_by="desk", source_kind=LabelSource.HUMAN)
    workspace.ingest(options).run(items)


def stored(workspace: Workspace, fingerprint: str) -> dict[str, np.ndarray]:
    """Every vector of a detector, by SHA-256."""
    with workspace.catalog.reading() as session:
        batch = embeddings.since(session, fingerprint, 0, 1000)
        known = images.details(session, batch.image_ids.tolist())
        return {
            known[int(image_id)].image.sha256: vector
            for image_id, vector in zip(batch.image_ids, batch.vectors, strict=True)
        }


def original(workspace: Workspace, number: int) -> Path:
    return workspace.originals.path(sha256_hex(png(number)))


def test_every_kept_original_is_embedded_as_the_new_detector_sees_it(workspace: Workspace, new: Detector) -> None:
    before = stored(workspace, workspace.resolved.fingerprint)
    settled: list[int] = []
    report = Reindex(workspace, new).run(settled.append)
    assert (report.embedded, report.rejected, report.rejected_file, report.remaining) == (PICTURES, {}, None, 0)
    assert sum(settled) == PICTURES
    vectors = stored(workspace, new.fingerprint)
    expected = new.detect([png(number) for number in range(PICTURES)]).embeddings
    for number in range(PICTURES):
        np.testing.assert_allclose(vectors[sha256_hex(png(number))], expected[number], atol=1e-5)
    after = stored(workspace, workspace.resolved.fingerprint)
    assert all(np.array_equal(before[sha256], after[sha256]) for sha256 in before), "the old embeddings were touched"
    with workspace.catalog.reading() as session:
        known = images.get(session, sha256_hex(png(0)))
    assert known is not None
    assert [detection.p_fake is not None for detection in known.detections] == [True, True]


def test_two_detectors_never_share_an_index(workspace: Workspace, new: Detector) -> None:
    Reindex(workspace, new).run(limit=4)
    index = SearchIndex(workspace.catalog, workspace.settings, new.fingerprint)
    status = index.build()
    vectors = stored(workspace, new.fingerprint)
    hits = index.nearest(np.array(list(vectors.values())), 1)
    index.close()
    assert (status.fingerprint, status.count) == (new.fingerprint, 4)
    np.testing.assert_allclose(hits.scores[:, 0], 1, atol=1e-5)
    workspace.index.refresh()
    assert workspace.index.size == PICTURES, "the old index follows its own detector only"
    answer = workspace.searcher.by_bytes(png(3))
    assert answer.matches[0].image.image.sha256 == sha256_hex(png(3))
    assert answer.verdict.index.fingerprint == workspace.resolved.fingerprint


def test_a_second_run_has_nothing_to_do(workspace: Workspace, new: Detector) -> None:
    Reindex(workspace, new).run()
    again = Reindex(workspace, new).run()
    assert (again.embedded, again.remaining) == (0, 0)
    assert len(stored(workspace, new.fingerprint)) == PICTURES


def test_a_run_that_broke_off_is_finished_by_the_next(
    workspace: Workspace, new: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []
    whole = new.run

    def breaks(batch: np.ndarray) -> object:
        passes.append(len(batch))
        if len(passes) == 3:
            raise DetectorError("out of memory")
        return whole(batch)

    monkeypatch.setattr(new, "run", breaks)
    with pytest.raises(DetectorError):
        Reindex(workspace, new).run()
    assert len(stored(workspace, new.fingerprint)) == 2 * BATCH
    finished = Reindex(workspace, new).run()
    assert finished.embedded == PICTURES - 2 * BATCH
    assert sum(passes) == PICTURES + BATCH, "only the batch that broke off was looked at twice"
    assert finished.remaining == 0


KILLED = """
import os, signal, sys
from indexer.detector import load_detector
from indexer.reindex.run import Reindex
from indexer.settings import Settings
from indexer.workspace import Workspace
settled = 0
def observe(count):
    global settled
    settled += count
    if settled >= 4:
        os.kill(os.getpid(), signal.SIGKILL)
settings = Settings.load()
with Workspace(settings) as workspace:
    Reindex(workspace, load_detector(settings, sys.argv[1])).run(observe)
"""


def test_a_run_that_was_killed_leaves_no_lock_and_nothing_half_done(
    workspace: Workspace, new: Detector, folders: tuple[Path, Path]
) -> None:
    mine = {
        "DEJAFAKE_HOME": str(workspace.settings.home),
        "DEJAFAKE_DETECTOR": str(folders[0]),
        "DEJAFAKE_BATCH_SIZE": str(BATCH),
    }
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(folders[1])], env=os.environ | mine, timeout=120, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(stored(workspace, new.fingerprint)) == 4
    finished = Reindex(workspace, new).run()
    assert (finished.embedded, finished.remaining) == (PICTURES - 4, 0)


def test_what_cannot_be_embedded_is_counted_and_listed_with_its_reason(workspace: Workspace, new: Detector) -> None:
    original(workspace, 0).unlink()
    original(workspace, 1).write_bytes(png(1)[:-40])
    original(workspace, 2).write_bytes(png(7))
    report = Reindex(workspace, new).run()
    assert report.rejected == {"no_original": 1, "sha256_mismatch": 2}
    assert (report.embedded, report.remaining) == (PICTURES - 3, 3)
    assert report.rejected_file is not None
    assert report.rejected_file.parent == workspace.settings.reports_dir
    with report.rejected_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["sha256"]: row["reason"] for row in rows} == {
        sha256_hex(png(0)): "no_original",
        sha256_hex(png(1)): "sha256_mismatch",
        sha256_hex(png(2)): "sha256_mismatch",
    }


def test_an_original_that_no_longer_decodes_is_counted_with_the_decoder_s_reason(
    workspace: Workspace, new: Detector
) -> None:
    stricter = workspace.settings.model_copy(update={"max_pixels": 100})
    workspace.settings = stricter
    report = Reindex(workspace, new).run()
    assert report.rejected == {"too_many_pixels": PICTURES}
    assert (report.embedded, report.remaining) == (0, PICTURES)


def test_images_ingested_meanwhile_are_done_too(workspace: Workspace, new: Detector) -> None:
    late: list[int] = []

    def observe(_: int) -> None:
        if not late:
            late.append(1)
            ingest(workspace, range(20, 23))

    report = Reindex(workspace, new).run(observe)
    assert (report.embedded, report.remaining) == (PICTURES + 3, 0)


def test_an_image_ingested_during_the_last_batch_is_done_too(workspace: Workspace, new: Detector) -> None:
    seen: list[int] = []

    def observe(count: int) -> None:
        seen.append(count)
        if sum(seen) == PICTURES:
            ingest(workspace, range(20, 21))

    assert Reindex(workspace, new).run(observe).embedded == PICTURES + 1


def test_an_image_deleted_meanwhile_stops_nothing(
    workspace: Workspace, new: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = new.run

    def deletes(batch: np.ndarray) -> object:
        with workspace.catalog.writing() as session:
            images.delete(session, sha256_hex(png(0)), "asked to")
        return whole(batch)

    monkeypatch.setattr(new, "run", deletes)
    report = Reindex(workspace, new).run()
    assert (report.embedded, report.rejected, report.remaining) == (PICTURES - 1, {}, 0)


def test_two_runs_at_once_do_not_double_the_work(workspace: Workspace, new: Detector) -> None:
    with FileLock(workspace.settings.home / "reindex.lock"), pytest.raises(ConflictError, match="another"):
        Reindex(workspace, new).run()
    with workspace.catalog.reading() as session:
        assert new.fingerprint not in {entry.fingerprint for entry in detectors.list(session)}


def test_a_plan_stores_nothing(workspace: Workspace, new: Detector) -> None:
    original(workspace, 4).unlink()
    plan = Reindex(workspace, new).plan()
    assert (plan.to_do, plan.without_original) == (PICTURES, 1)
    assert plan.seconds is not None
    assert plan.seconds > 0
    assert stored(workspace, new.fingerprint) == {}


@pytest.fixture
def dejafake(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("DEJAFAKE_HOME", str(workspace.settings.home))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", workspace.settings.detector)
    monkeypatch.setenv("DEJAFAKE_BATCH_SIZE", str(BATCH))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_the_command_moves_over_compares_and_says_how_to_switch(
    dejafake: Callable[..., tuple[int, str, str]], folders: tuple[Path, Path], new: Detector, tmp_path: Path
) -> None:
    outcome = tmp_path / "outcome.json"
    code, out, err = dejafake("reindex", "--detector", folders[1], "--json", outcome)
    assert code == 0, err
    assert f"DEJAFAKE_DETECTOR={folders[1]}" in out
    assert f"{PICTURES} embedded by this run" in out
    written = json.loads(outcome.read_text())
    assert written["report"]["embedded"] == PICTURES
    assert written["index"]["count"] == PICTURES
    assert written["agreement"]["n"] == PICTURES
    assert written["agreement"]["new"]["fingerprint"] == new.fingerprint
    assert written["agreement"]["old"]["auc"] is not None
    assert {row["label"]: row["n"] for row in written["agreement"]["readings"]} == {
        "fake": 5,
        "authentic": 3,
        "unknown": 1,
    }


def test_a_dry_run_says_how_many_and_changes_nothing(
    dejafake: Callable[..., tuple[int, str, str]], folders: tuple[Path, Path], workspace: Workspace, new: Detector
) -> None:
    code, out, _ = dejafake("reindex", "--detector", folders[1], "--dry-run")
    assert code == 0
    assert f"{PICTURES} images have no embedding" in out
    assert stored(workspace, new.fingerprint) == {}


def test_an_interrupted_command_says_how_to_go_on(
    dejafake: Callable[..., tuple[int, str, str]], folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Reindex, "run", interrupted)
    code, _, err = dejafake("reindex", "--detector", folders[1])
    assert code == 130
    assert "run the same command again to continue" in err


def test_a_detector_that_is_none_is_one_clear_line(dejafake: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = dejafake("reindex", "--detector", "no-such-detector")
    assert code == 1
    assert "no-such-detector" in err
    assert "Traceback" not in err


def test_a_user_who_switched_already_can_reindex_and_compare(
    dejafake: Callable[..., tuple[int, str, str]],
    folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    workspace: Workspace,
) -> None:
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(folders[1]))
    outcome = tmp_path / "outcome.json"
    code, out, _ = dejafake("reindex", "--json", outcome)
    assert code == 0
    assert "Switch" not in out
    assert json.loads(outcome.read_text())["agreement"]["old"]["fingerprint"] == workspace.resolved.fingerprint
