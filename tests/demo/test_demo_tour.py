"""The tour does the main job from end to end and says where to look."""

import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image

from indexer.catalog.campaigns import campaigns
from indexer.catalog.database import Catalog
from indexer.catalog.images import images
from indexer.demo import run_demo
from indexer.demo.collection import count_pictures
from indexer.demo.fakes import FAKES
from indexer.demo.tour import Tour
from indexer.errors import DejafakeError
from indexer.settings import Settings

FEW = (FAKES[0], FAKES[10], FAKES[9], FAKES[14])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tour")


@pytest.fixture(scope="module")
def told(folder: Path) -> str:
    """What a tour of a reduced collection prints."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        patch.setenv("COLUMNS", "220")
        patch.setenv("DEJAFAKE_HOME", str(folder / "not-this-one"))
        Tour(Settings.load(), folder, FEW).run()
    return out.getvalue()


def line_about(told: str, query: str) -> str:
    return next(line for line in told.splitlines() if line.startswith(query))


def test_everything_made_is_in_the_catalogue_of_the_folder(folder: Path, told: str) -> None:
    catalog = Catalog.open(Settings(home=folder / "home").catalog_url)
    with catalog.reading() as session:
        counts = images.counts(session)
        found = campaigns.page(session, limit=50, cursor=None).items
    catalog.close()

    assert counts.images == counts.embeddings == count_pictures(FEW)
    assert counts.fake == len(FEW) * 6
    assert counts.disputed == 0
    assert len(found) >= 3
    assert not (folder / "not-this-one").exists()


def test_re_shared_fakes_are_found_as_the_same_picture(told: str) -> None:
    for query in ("fake, filtered and shrunk", "fake, mirrored", "fake, shrunk to a third"):
        assert "known fake match" in line_about(told, query)
        assert "same_picture" in line_about(told, query)
    assert "dahlia-in-the-cup" in line_about(told, "fake, filtered and shrunk")
    assert "mirrored" in line_about(told, "fake, mirrored")


def test_harder_copies_are_found_and_what_was_done_to_them_is_said(told: str) -> None:
    for query in ("fake, cropped to two thirds", "fake, cropped and mirrored", "fake, with a caption"):
        assert "known fake match" in line_about(told, query)
    assert "known fake match" in line_about(told, "fake, in a screenshot")
    assert "cropped to 4" in line_about(told, "fake, cropped to two thirds")
    assert "and mirrored" in line_about(told, "fake, cropped and mirrored")


def test_what_cannot_be_told_is_not_claimed(told: str) -> None:
    assert "known fake" not in line_about(told, "photo never seen")
    assert "none holds" in line_about(told, "photo never seen")
    assert "inconclusive" in line_about(told, "small edit of a known photo")
    assert "no match found" in line_about(told, "authentic photo")
    assert "no match does not make one authentic" in told


def test_the_summary_says_where_to_look_and_how_to_start_the_server(folder: Path, told: str) -> None:
    summary = told[told.index("the report") :]
    paths = [word for line in summary.splitlines() for word in line.split() if word.startswith(str(folder))]

    assert any(path.endswith(".html") for path in paths)
    assert all(Path(path).exists() for path in paths)
    assert "make serve" in summary
    assert f"dejafake --home {folder / 'home'} serve" in summary


def test_an_answer_is_drawn(folder: Path, told: str) -> None:
    with Image.open(folder / "answer.png") as picture:
        assert picture.width == 1280
        assert len(picture.convert("RGB").getcolors(maxcolors=2**24) or ()) > 1000


def test_running_it_again_is_harmless(folder: Path, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    Tour(Settings.load(), folder, FEW).run()

    assert f"0 added, {count_pictures(FEW)} known already" in capsys.readouterr().out


def test_a_missing_package_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)

    with pytest.raises(DejafakeError, match=r"needs scikit-image: pip install 'dejafake\[demo\]'"):
        run_demo(Settings.load(), tmp_path / "demo")
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(DejafakeError, match="choose another with --folder"):
        run_demo(Settings.load(), tmp_path / "file" / "demo")
