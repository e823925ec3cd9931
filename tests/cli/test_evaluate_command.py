"""`dejafake evaluate` as a user types it."""

import json
import sys
from pathlib import Path

import pytest

from indexer.cli.app import run
from tests.made_pictures import encoded, png, scene
from tests.tiny_detectors import tiny_detector


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    for number in range(2):
        for place, data in (("fake", png(number)), ("real", encoded(scene(number + 50), "JPEG"))):
            folder = tmp_path / "set" / "made-up-generator" / place
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number}").with_suffix(".png" if place == "fake" else ".jpg").write_bytes(data)
    return tmp_path / "set"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEJAFAKE_THREADS", "1")
    monkeypatch.setenv("COLUMNS", "200")


def test_a_folder_to_a_page_a_file_and_the_terminal(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = tiny_detector(tmp_path / "tiny", seed=2)
    arguments = ["evaluate", str(labelled), "--detector", str(tiny), "--queries", "1", "--seed", "3"]
    assert run([*arguments, "--html", str(tmp_path / "r.html"), "--json", str(tmp_path / "r.json")]) == 0
    printed = capsys.readouterr().out
    assert "local:tiny on set" in printed
    assert "2 fakes, 2 authentic pictures" in printed
    assert "ROC AUC" in printed
    assert "made-up-generator" in printed
    assert "pictures like these" in printed
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    written = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert written["format"] == "dejafake-evaluation-1"
    assert written["method"]["seed"] == 3
    assert written["retrieval"]["queries"] == 1
    assert len(written["robustness"]) == 5


def test_a_collection_with_the_bundled_detector_as_json_alone(
    labelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ingest", str(labelled), "--collection", "desk"]) == 0
    capsys.readouterr()
    assert run(["evaluate", "collection:desk", "--json", "-", "--queries", "1"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pictures"]["name"] == "collection desk"
    assert said["pictures"]["fakes"] == 2
    assert said["detector"]["name"] == "dejafake-small"
    assert ("value" in said["scores"]["roc_auc"]) is said["detector"]["trained"]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["evaluate", "collection:none"], 1, "no collection named"),
        (["evaluate", "catalogue"], 2, "no picture labelled"),
        (["evaluate", "nowhere.csv"], 1, "check the path"),
        (["evaluate", "{set}", "--threshold", "7"], 2, "within 0 and 1"),
        (["evaluate", "{set}", "--html", "{set}"], 2, "is a folder"),
        (["evaluate", "{set}", "--json", "{set}/no/report.json"], 2, "make it first"),
        (["evaluate", "{set}", "--html", "-"], 2, "--html needs a file"),
    ],
)
def test_what_is_wrong_is_one_clear_line(
    labelled: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, word: str
) -> None:
    assert run([argument.replace("{set}", str(labelled)) for argument in arguments]) == code
    err = capsys.readouterr().err
    assert word in err
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1].startswith("dejafake: ")


def test_help_of_the_command_loads_no_plots(capsys: pytest.CaptureFixture[str]) -> None:
    already = "matplotlib.figure" in sys.modules
    assert run(["evaluate", "--help"]) == 0
    assert already or "matplotlib.figure" not in sys.modules


@pytest.mark.parametrize("command", ["ingest", "evaluate", "calibrate", "head"])
def test_what_numbers_for_labels_mean_is_asked_by_every_command_that_reads_labels(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,label\n0.png,0\n1.png,1\n", encoding="utf-8")
    arguments = ["head", "train", "--target", "fake"] if command == "head" else [command]
    assert run([*arguments, str(manifest)]) == (0 if command == "ingest" else 2)
    said = capsys.readouterr()
    assert "--map-label 0=authentic,1=fake" in said.out + said.err
    assert run([*arguments, str(manifest), "--map-label", "0=maybe"]) == 2
    assert "0=authentic,1=fake" in capsys.readouterr().err


def test_what_was_understood_of_labels_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,label\n0.png,0\n1.png,Satire\n", encoding="utf-8")
    assert run(["ingest", str(manifest), "--map-label", "0=authentic"]) == 0
    printed = capsys.readouterr().out
    assert 'labels understood: "0" (1) as authentic' in printed
    assert 'no label: "Satire" (1); such a word speaks of a claim' in printed


def test_the_table_of_words_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["label", "--words"]) == 0
    printed = capsys.readouterr().out
    for word in ("ai generated", "missing context", "is_fake: fake / authentic", "--map-label"):
        assert word in printed
