"""Preparing a catalogue for searches by region and asking it, from the library and the command line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

import numpy as np
import pytest
from sqlalchemy import Engine, delete, event, update

from indexer.catalog.images import images, labels
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.tables.copies import LocalFeaturesRow
from indexer.cli.app import run
from indexer.errors import UsageError
from indexer.examine.region_search import RegionSearcher
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.vocabulary import LabelSource, LabelValue
from indexer.workspace import Workspace
from tests.made_pictures import encoded, scene

FAKES = range(4)


@contextmanager
def statements() -> Iterator[list[str]]:
    made: list[str] = []
    asking = get_ident()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if get_ident() == asking:
            made.append(" ".join(statement.lower().split()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


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


def test_a_region_finds_the_known_fake_it_came_from(workspace: Workspace) -> None:
    answer = RegionSearcher(workspace).by_bytes(suspicious(1), BOX, 5)
    assert [match.image.image.sha256 for match in answer.matches] == [sha256_hex(encoded(scene(1)))]
    assert answer.searched == 4
    (match,) = answer.matches
    assert 5 <= match.inliers <= match.matches
    assert match.firm == (match.inliers >= 8)
    assert np.abs(np.array(match.box) - np.array(BOX)).max() < 10
    assert "not which of them was there first" in answer.limitations[0]


def test_new_and_deleted_images_and_changed_labels_are_noticed(workspace: Workspace, tmp_path: Path) -> None:
    searcher = RegionSearcher(workspace)
    assert len(searcher.by_bytes(suspicious(2), BOX, 5).matches) == 1
    (tmp_path / "late.png").write_bytes(encoded(scene(9)))
    options = IngestOptions(label=LabelValue.FAKE, stated_by="desk")
    limits = ImageLimits.from_settings(workspace.settings)
    workspace.ingest(options).run(open_source(tmp_path / "late.png", limits))
    assert searcher.by_bytes(suspicious(9), BOX, 5).searched == 5
    gone, acquitted = (sha256_hex(encoded(scene(seed))) for seed in (2, 3))
    with workspace.catalog.writing() as session:
        images.delete(session, gone, "asked to")
        image_id = images.find_ids(session, [acquitted])[acquitted]
        labels.state(session, image_id, [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "chief")])
    assert searcher.by_bytes(suspicious(2), BOX, 5).matches == ()
    assert searcher.by_bytes(suspicious(3), BOX, 5).matches == (), "it is no known fake any more"


def test_a_search_counts_no_features_and_reads_only_those_of_candidates(workspace: Workspace) -> None:
    searcher = RegionSearcher(workspace)
    searcher.by_bytes(suspicious(2), BOX, 5)
    with statements() as unchanged:
        assert len(searcher.by_bytes(suspicious(2), BOX, 5).matches) == 1
    assert not [one for one in unchanged if "count(" in one]
    assert len([one for one in unchanged if "local_features.codes" in one]) == 1
    with workspace.catalog.writing() as session:
        images.delete(session, sha256_hex(encoded(scene(0))), "asked to")
    assert searcher.by_bytes(suspicious(2), BOX, 5).searched == 3
    assert searcher.by_bytes(suspicious(0), BOX, 5).matches == ()


def test_features_that_are_damaged_in_the_catalogue_leave_out_their_image_alone(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    searcher = RegionSearcher(workspace)
    assert len(searcher.by_bytes(suspicious(2), BOX, 5).matches) == 1
    with workspace.catalog.writing() as session:
        (image_id,) = images.find_ids(session, [sha256_hex(encoded(scene(2)))]).values()
        session.execute(update(LocalFeaturesRow).where(LocalFeaturesRow.image_id == image_id).values(codes=b"no"))
    assert searcher.by_bytes(suspicious(2), BOX, 5).matches == ()
    assert f"image {image_id} is left out" in caplog.text


def test_without_local_features_it_is_said_how_to_have_them(workspace: Workspace, tmp_path: Path) -> None:
    off = workspace.settings.model_copy(update={"local_features": False})
    with Workspace(off) as without, pytest.raises(UsageError, match="DEJAFAKE_LOCAL_FEATURES"):
        RegionSearcher(without).by_bytes(suspicious(1), BOX)
    with workspace.catalog.writing() as session:
        session.execute(delete(LocalFeaturesRow))
    with pytest.raises(UsageError, match="dejafake regions prepare"):
        RegionSearcher(workspace).by_bytes(suspicious(1), BOX)


def test_the_limit_is_bounded_and_what_is_not_looked_at_is_said(workspace: Workspace) -> None:
    searcher = RegionSearcher(workspace)
    for limit in (0, workspace.settings.search_limit_max + 1):
        with pytest.raises(UsageError, match="limit is 1 to"):
            searcher.by_bytes(suspicious(1), BOX, limit)
    answer = searcher.by_bytes(suspicious(1), BOX)
    assert len(answer.matches) == 1
    assert any("Only the 50 images" in limit for limit in answer.limitations)


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
    with workspace.catalog.writing() as session:
        session.execute(delete(LocalFeaturesRow))
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
