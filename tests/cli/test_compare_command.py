"""`dejafake compare`: where two pictures differ, on the terminal, as JSON and as a drawing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageOps

from indexer.cli.app import run
from tests.made_pictures import encoded, generated_png, png, scene

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The files of a picture and of its copy with a sign painted into it."""
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    edited = scene(1)
    ImageDraw.Draw(edited).rectangle((200, 100, 290, 180), fill="white", outline="black", width=5)
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "b.jpg").write_bytes(encoded(edited, "JPEG", quality=85))
    return str(tmp_path / "a.png"), str(tmp_path / "b.jpg")


def test_it_tells_where_they_differ_and_draws_it(pictures: tuple[str, str], tmp_path: Path, capsys: Printed) -> None:
    drawing = tmp_path / "difference.png"
    assert run(["compare", *pictures, "--picture", str(drawing)]) == 0
    said = capsys.readouterr().out
    assert "same_picture" in said
    assert "They differ in 1 region" in said
    assert "not which one" in said
    assert "The file of A says nothing of its origin." in said
    assert "difference.png" in said
    with Image.open(drawing) as opened:
        assert opened.format == "PNG"


def test_a_mirrored_crop_is_named_as_such_first(pictures: tuple[str, str], tmp_path: Path, capsys: Printed) -> None:
    crop = ImageOps.mirror(scene(1).crop((60, 20, 420, 340)))
    (tmp_path / "crop.jpg").write_bytes(encoded(crop, "JPEG", quality=85))
    assert run(["compare", str(tmp_path / "crop.jpg"), pictures[0]]) == 0
    said = capsys.readouterr().out
    assert said.startswith("A and B are the same picture: A is B cropped to 6")
    assert "% and mirrored." in said.splitlines()[0]
    assert "verified_copy" in said


def test_json_carries_the_numbers_and_with_names_a_known_image(pictures: tuple[str, str], capsys: Printed) -> None:
    assert run(["ingest", pictures[0], "--label", "authentic"]) == 0
    assert run(["export"]) == 0
    sha256 = json.loads(capsys.readouterr().out.splitlines()[-1])["sha256"]
    assert run(["compare", pictures[1], "--with", sha256[:12], "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["b"]["sha256"] == sha256
    (region,) = answer["difference"]["regions"]
    assert max(abs(edge - wanted) for edge, wanted in zip(region["box_a"], (200, 100, 291, 181), strict=True)) <= 10
    assert len(answer["difference"]["homography"]) == 3


def test_it_tells_what_a_file_says_of_its_origin_and_what_that_is_worth(
    pictures: tuple[str, str], tmp_path: Path, capsys: Printed
) -> None:
    told = tmp_path / "told.png"
    told.write_bytes(generated_png(1))
    assert run(["compare", pictures[1], str(told)]) == 0
    said = capsys.readouterr().out
    assert "B, self-declared: The PNG text parameters says that AUTOMATIC1111 made the picture" in said
    assert "can be forged" in said


@pytest.mark.parametrize("given", [[], ["b.jpg", "--with", "3f2a91"]], ids=["neither", "both"])
def test_it_takes_exactly_one_second_picture(pictures: tuple[str, str], given: list[str], capsys: Printed) -> None:
    assert run(["compare", pictures[0], *given]) == 2
    assert "two pictures, or one picture and --with SHA256" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_one_clear_line(
    pictures: tuple[str, str], tmp_path: Path, capsys: Printed
) -> None:
    assert run(["compare", *pictures, "--picture", str(tmp_path / "none" / "d.png")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_help_comes_without_opencv() -> None:
    code = (
        "import sys; from indexer.cli.app import run; run(['compare', '--help']); "
        "sys.exit('cv2' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
