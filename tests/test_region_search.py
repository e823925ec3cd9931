"""Preparing a catalogue for searches by region and asking it, from the library and the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_pictures import encoded, scene

from indexer.catalog import images, labels
from indexer.catalog.records import NewLabel
from indexer.cli.app import run
from indexer.errors import UsageError
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.ingest_report import IngestOptions
from indexer.region_search import RegionSearcher, prepare_regions
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.vocabulary import LabelSource, LabelValue
from indexer.workspace import Workspace

FAKES = range(4)
BOX = (120, 60, 330, 260)


def suspicious(seed: int) -> bytes:
    """Another picture with a part of a known fake in it, where it was."""
    picture = scene(200 + seed)
    picture.paste(scene(seed).crop(BOX), BOX[:2])
    return encoded(picture, "JPEG", quality=85)


@pytest.fixture
def workspace(untrained_detector: Path, tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / "fakes"
    folder.mkdir()
    for seed in FAKES:
        (folder / f"{seed}.png").write_bytes(encoded(scene(seed)))
    settings = Settings.load(home=tmp_path / "home", detector=str(untrained_detector), precision="fp32")
    with Workspace(settings) as opened:
        options = IngestOptions(label=LabelValue.FAKE, stated_by="desk")
        opened.ingest(options).run(open_source(folder, ImageLimits.from_settings(settings)))
        yield opened


def test_what_was_prepared_is_found_and_nothing_is_done_twice(workspace: Workspace) -> None:
    searcher = RegionSearcher(workspace)
    with pytest.raises(UsageError, match="dejafake regions prepare"):
        searcher.by_bytes(suspicious(1), BOX, 5)
    looked_at: list[int] = []
    prepared = prepare_regions(workspace, looked_at.append)
    assert (prepared.added, prepared.skipped, prepared.state.images) == (4, 0, 4)
    assert prepared.state.bytes == pytest.approx(4 * 96 * 136, rel=0.2)
    assert looked_at == [4]
    assert prepare_regions(workspace).added == 0
    answer = searcher.by_bytes(suspicious(1), BOX, 5)
    assert [match.image.image.sha256 for match in answer.matches] == [sha256_hex(encoded(scene(1)))]
    assert answer.searched == 4
    assert answer.matches[0].firm
    assert "not which of them was there first" in answer.limitations[0]


def test_new_and_deleted_images_and_changed_labels_are_noticed(workspace: Workspace, tmp_path: Path) -> None:
    prepare_regions(workspace)
    searcher = RegionSearcher(workspace)
    assert len(searcher.by_bytes(suspicious(2), BOX, 5).matches) == 1
    (tmp_path / "late.png").write_bytes(encoded(scene(9)))
    options = IngestOptions(label=LabelValue.FAKE, stated_by="desk")
    limits = ImageLimits.from_settings(workspace.settings)
    workspace.ingest(options).run(open_source(tmp_path / "late.png", limits))
    assert prepare_regions(workspace).added == 1
    assert searcher.by_bytes(suspicious(9), BOX, 5).searched == 5
    gone, acquitted = (sha256_hex(encoded(scene(seed))) for seed in (2, 3))
    with workspace.catalog.writing() as session:
        images.delete(session, gone, "asked to")
        image_id = images.find_ids(session, [acquitted])[acquitted]
        labels.state(session, image_id, [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "chief")])
    assert searcher.by_bytes(suspicious(2), BOX, 5).matches == ()
    assert searcher.by_bytes(suspicious(3), BOX, 5).matches == (), "it is no known fake any more"


def test_without_originals_thumbnails_serve_and_without_both_an_image_is_skipped(workspace: Workspace) -> None:
    for seed in (0, 1):
        workspace.originals.delete(sha256_hex(encoded(scene(seed))))
    workspace.thumbnails.delete(sha256_hex(encoded(scene(1))))
    prepared = prepare_regions(workspace)
    assert (prepared.added, prepared.skipped) == (3, 1)
    found = RegionSearcher(workspace).by_bytes(suspicious(0), BOX, 5).matches
    assert [match.image.image.sha256 for match in found] == [sha256_hex(encoded(scene(0)))]


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((10, 10, 900, 100), "does not lie in the picture, which has 480 x 360 pixels"),
        ((-1, 0, 100, 100), "does not lie in the picture"),
        ((100, 100, 100, 200), "does not lie in the picture"),
        ((100, 100, 120, 300), "24 pixels or more"),
    ],
)
def test_boxes_that_are_none(workspace: Workspace, box: tuple[int, int, int, int], said: str) -> None:
    prepare_regions(workspace)
    with pytest.raises(UsageError, match=said):
        RegionSearcher(workspace).by_bytes(suspicious(1), box, 5)


def test_the_command_line(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEJAFAKE_HOME", str(workspace.settings.home))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", workspace.settings.detector)
    monkeypatch.setenv("COLUMNS", "200")
    picture = tmp_path / "suspicious.jpg"
    picture.write_bytes(suspicious(1))
    asked = ["regions", "search", str(picture), "--box", "120,60,330,260"]
    assert run(asked) == 2
    assert "dejafake regions prepare" in capsys.readouterr().err
    assert run(["regions", "prepare"]) == 0
    assert "4 images prepared, 4 in all" in capsys.readouterr().out
    assert run([*asked, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["matches"][0]["image"]["image"]["sha256"] == sha256_hex(encoded(scene(1)))
    assert run(asked) == 0
    assert sha256_hex(encoded(scene(1)))[:16] in capsys.readouterr().out
    assert run([*asked[:-1], "120,60"]) == 2
    assert "four whole numbers" in capsys.readouterr().err
