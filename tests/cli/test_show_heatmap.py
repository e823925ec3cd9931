"""`dejafake show --heatmap`: where the embedding looked, as files."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.cli.app import run
from tests.made_pictures import png


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The SHA-256 of the one image of the catalogue."""
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "a.png").write_bytes(png(1))
    assert run(["ingest", str(tmp_path / "a.png"), "--label", "fake"]) == 0
    capsys.readouterr()
    assert run(["export"]) == 0
    sha256: str = json.loads(capsys.readouterr().out)["sha256"]
    return sha256


def test_it_is_drawn_and_written_and_what_it_is_not_is_said(
    image: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing, numbers = tmp_path / "looked.png", tmp_path / "looked.npy"
    assert run(["show", image[:12], "--heatmap", str(drawing), "--heatmap-array", str(numbers)]) == 0
    said = capsys.readouterr().out
    assert "looked.png" in said
    assert "proves nothing" in said
    with Image.open(drawing) as opened:
        assert (opened.format, opened.size) == ("PNG", (480, 360))
    values = np.load(numbers)
    assert (values.shape, values.dtype) == ((24, 24), np.float32)
    assert values.sum() == pytest.approx(1, abs=1e-5)


def test_json_stays_json(image: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", image, "--heatmap", str(tmp_path / "looked.png"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["image"]["sha256"] == image
    assert (tmp_path / "looked.png").is_file()


def test_a_place_that_cannot_be_written_is_one_clear_line(
    image: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", image, "--heatmap", str(tmp_path)]) == 2
    assert "is a directory" in capsys.readouterr().err
    assert run(["show", image, "--heatmap", str(tmp_path / "none" / "looked.png")]) == 1
    said = capsys.readouterr().err
    assert "there is no folder" in said
    assert "Traceback" not in said


def test_without_the_original_it_is_said_what_to_do(
    image: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path / "home" / "media").rglob(image):
        path.unlink()
    assert run(["show", image, "--heatmap", str(tmp_path / "looked.png")]) == 1
    assert "DEJAFAKE_KEEP_ORIGINALS" in capsys.readouterr().err
    assert not (tmp_path / "looked.png").exists()
