"""`dejafake delete` and `dejafake doctor --deep`: pictures go with their files, and files are what they should be."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from indexer.cli.app import run
from indexer.files.media import MediaStore
from tests.made_pictures import png

Said = tuple[int, str, str]
Dejafake = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def dejafake(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], untrained_detector: Path
) -> Dejafake:
    monkeypatch.setenv("DEJAFAKE_HOME", str(home))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
    monkeypatch.setenv("COLUMNS", "250")

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def kept(dejafake: Dejafake, tmp_path: Path, home: Path) -> list[str]:
    """SHA-256 of three known fakes with originals."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(png(number))
    assert dejafake("ingest", folder, "--label", "fake")[0] == 0
    return sorted(MediaStore(home / "media").names())


def files(home: Path, sha256: str) -> list[bool]:
    return [MediaStore(home / folder).path(sha256).exists() for folder in ("media", "thumbnails")]


def bad(said: Said) -> list[str]:
    return [finding["detail"] for finding in json.loads(said[1]) if finding["state"] == "problem"]


def test_images_are_deleted_with_their_files_and_one_that_is_not_there_stops_nobody(
    dejafake: Dejafake, kept: list[str], home: Path
) -> None:
    one, two, three = kept
    assert files(home, one) == [True, True]
    code, out, _ = dejafake("delete", one[:10], "abcdefabcdef", "not hex", two, "--yes", "--json")
    assert code == 1
    told = json.loads(out)
    assert [(row["sha256"], row["deleted"]) for row in told] == [
        (one, True), (None, False), (None, False), (two, True)
    ]  # fmt: skip
    assert "no image abcdefabcdef" in told[1]["error"]
    assert files(home, one) == files(home, two) == [False, False]
    assert files(home, three) == [True, True]
    assert dejafake("show", one)[0] == 1
    assert dejafake("show", three)[0] == 0
    assert dejafake("delete", three, "--yes", "--reason", "asked for")[:2] == (0, f"{three} is deleted\n")


def test_nothing_is_deleted_without_a_yes(
    dejafake: Dejafake, kept: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.confirm", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    assert dejafake("delete", kept[0])[0] == 130
    assert files(home, kept[0]) == [True, True]


def test_files_that_a_crash_left_behind_go_when_the_installation_is_opened_next(
    dejafake: Dejafake, kept: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MediaStore, "delete", killed)
    assert dejafake("delete", kept[0], "--yes")[0] == 130
    assert files(home, kept[0]) == [True, True]
    monkeypatch.undo()
    monkeypatch.setenv("DEJAFAKE_HOME", str(home))
    assert dejafake("campaigns")[0] == 0
    assert files(home, kept[0]) == [False, False]
    assert files(home, kept[1]) == [True, True]


def test_files_that_cannot_be_removed_are_told_and_tried_again(
    dejafake: Dejafake, kept: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = MediaStore.delete

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(MediaStore, "delete", refused)
    code, out, err = dejafake("delete", kept[0], "--yes")
    assert (code, "is deleted" in out, "Permission denied" in err) == (1, True, True)
    code, out, _ = dejafake("doctor", "--json")
    assert code == 1
    assert [detail for detail in bad((code, out, "")) if kept[0] in detail and "Permission denied" in detail]
    monkeypatch.setattr(MediaStore, "delete", removed)
    assert dejafake("campaigns")[0] == 0
    assert files(home, kept[0]) == [False, False]


def test_a_picture_that_comes_back_before_its_files_went_keeps_them(
    dejafake: Dejafake, kept: list[str], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(MediaStore, "delete", lambda *_: (_ for _ in ()).throw(PermissionError(13, "no")))
        assert dejafake("delete", kept[0], "--yes")[0] == 1
        assert dejafake("ingest", tmp_path / "in", "--label", "fake")[0] == 0
    assert dejafake("campaigns")[0] == 0
    assert files(home, kept[0]) == [True, True]
    assert dejafake("doctor", "--deep")[0] == 0


def test_a_deep_look_names_every_file_that_is_wrong_and_a_sound_home_is_ok(
    dejafake: Dejafake, kept: list[str], home: Path
) -> None:
    code, out, _ = dejafake("doctor", "--deep", "--json")
    assert (code, bad((code, out, ""))) == (0, [])
    originals, thumbnails = MediaStore(home / "media"), MediaStore(home / "thumbnails", derived=True)
    flipped = bytearray(originals.path(kept[0]).read_bytes())
    flipped[100] ^= 1
    originals.path(kept[0]).write_bytes(flipped)
    originals.path(kept[1]).unlink()
    stranger = "ab" * 32
    originals.path(stranger).parent.mkdir(parents=True)
    originals.path(stranger).write_bytes(b"x")
    thumbnails.path(kept[2]).write_bytes(b"no picture")
    assert dejafake("doctor", "--json")[0] == 0
    code, out, _ = dejafake("doctor", "--deep", "--json")
    assert code == 1
    told = bad((code, out, ""))
    assert [word for word in ("other bytes", "not there any more", "of no image", "no picture any more")
            if sum(word in detail for detail in told) == 1] == [
        "other bytes", "not there any more", "of no image", "no picture any more"
    ]  # fmt: skip
    assert len(told) == 4


@pytest.mark.parametrize("command", ["compare", "heatmap", "watch", "regions"])
def test_an_original_that_changed_is_never_used_in_silence(
    command: str, dejafake: Dejafake, kept: list[str], home: Path, tmp_path: Path
) -> None:
    path = MediaStore(home / "media").path(kept[0])
    other = path.read_bytes()
    path.write_bytes(png(77))
    with closing(sqlite3.connect(home / "catalogue.sqlite")) as catalogue, catalogue:
        catalogue.execute("DELETE FROM local_features")  # as in a catalogue of an older version
    asked: dict[str, tuple[Any, ...]] = {
        "compare": ("compare", tmp_path / "in" / "1.png", "--with", kept[0]),
        "heatmap": ("show", kept[0], "--heatmap", tmp_path / "map.png"),
        "watch": ("watch", "add", "w", "--image", kept[0]),
        "regions": ("regions", "prepare"),
    }
    code, _, err = dejafake(*asked[command])
    assert f"the kept original of {kept[0]} is damaged" in err
    assert "Traceback" not in err
    assert code == (0 if command == "regions" else 1)
    path.write_bytes(other)
    assert dejafake(*asked[command])[0] == 0
