"""The command line: what a user types, reads, and gets as exit codes."""

import csv
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from indexer.cli.app import COMMANDS, run
from indexer.detector.bundled import SPEC
from tests.made_descriptors import made_descriptor
from tests.made_pictures import encoded, generated_png, png, png_that_claims, recompressed, scene


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Dejafake = Callable[..., Said]


@pytest.fixture
def dejafake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dejafake:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return call


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    for number in range(4):
        place = folder / "made-up-generator" / ("fake" if number else "real")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes(png(number))
    return folder


def refused(said: Said, *words: str, code: int = 1) -> None:
    """One clear line, no traceback."""
    assert said.code == code, said
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err + said.out, said


def test_from_a_folder_to_a_verdict_campaigns_and_a_report(dejafake: Dejafake, pictures: Path, tmp_path: Path) -> None:
    ingested = dejafake("ingest", pictures, "--collection", "spring")
    assert ingested.code == 0
    assert "4 added" in ingested.out
    query = tmp_path / "query.jpg"
    query.write_bytes(recompressed(2))
    found = dejafake("search", query)
    assert "known fake match" in found.out
    assert "1 copy" in found.out
    assert "same_picture" in dejafake("search", query, "--explain").out
    same = dejafake("search", pictures / "made-up-generator" / "fake" / "2.png", "--json").json()
    assert same["verdict"]["outcome"] == "known_fake_match"
    assert same["matches"][0]["relation"] == "same_file"
    cosine = next(score for score in same["matches"][0]["scores"] if score["measure"] == "cls_cosine")
    assert cosine["value"] >= 0.999
    assert dejafake("cluster").code == 0
    assert dejafake("campaigns").code == 0
    reported = dejafake("report", "--folder", tmp_path / "reports")
    assert reported.code == 0
    assert list((tmp_path / "reports").glob("*.html"))


def test_search_by_the_start_of_a_sha256_and_show(dejafake: Dejafake, pictures: Path) -> None:
    dejafake("ingest", pictures)
    (first, *_) = [json.loads(line) for line in dejafake("export").out.splitlines()]
    start = first["sha256"][:10]
    assert dejafake("search", start, "--json").json()["matches"][0]["image"]["image"]["sha256"] == first["sha256"]
    assert first["sha256"] in dejafake("show", start).out
    assert dejafake("show", start, "--json").json()["image"]["sha256"] == first["sha256"]
    refused(dejafake("show", "abcdef123456"), "no image")
    refused(dejafake("show", "zzz"), "hex digits", code=2)


def test_what_files_say_of_their_origin_is_shown_searched_and_exported(dejafake: Dejafake, pictures: Path) -> None:
    told = pictures / "told.png"
    told.write_bytes(generated_png(9))
    dejafake("ingest", pictures)
    (line,) = dejafake("export", "--model-hash", "6ce0161689").out.splitlines()
    document = json.loads(line)
    assert document["provenance"][0]["made_with"] == "AUTOMATIC1111"
    assert dejafake("export", "--made-with", "automatic1111").out.splitlines() == [line]
    assert dejafake("export", "--digital-source-type", "trainedAlgorithmicMedia").out == ""
    shown = dejafake("show", document["sha256"]).out
    for words in ("self declared", "inpainting", "model hash 6ce0161689", "seed 5", "can be forged"):
        assert words in shown
    silent = next(json.loads(row) for row in dejafake("export").out.splitlines() if row != line)
    assert "says nothing of its origin" in dejafake("show", silent["sha256"]).out
    found = dejafake("search", told, "--made-with", "AUTOMATIC1111")
    assert "AUTOMATIC1111 made the picture with the model v1-5 by inpainting" in found.out
    answer = dejafake("search", told, "--made-with", "ComfyUI", "--json").json()
    assert answer["matches"] == []
    assert answer["provenance"][0]["model_hash"] == "6ce0161689"


def test_a_persons_label_wins_and_says_who(dejafake: Dejafake, pictures: Path) -> None:
    dejafake("ingest", pictures)
    first = json.loads(dejafake("export", "--label", "authentic").out.splitlines()[0])["sha256"]
    said = dejafake("label", first, "--as", "fake", "--technique", "splice", "--by", "M. Duval", "--reason", "two suns")
    assert said.code == 0
    shown = dejafake("show", first).out
    assert "M. Duval" in shown
    assert "two suns" in shown
    assert first in dejafake("export", "--label", "fake").out


def test_exports_are_the_same_bytes_twice_and_as_csv_safe(dejafake: Dejafake, tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(1))
    with (folder / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "label", "generator"], ["a.png", "fake", "=HYPERLINK(1)"]])
    dejafake("ingest", folder / "list.csv")
    assert dejafake("export").out == dejafake("export").out
    exported = tmp_path / "out.csv"
    assert dejafake("export", "--format", "csv", "--output", exported).code == 0
    cells = {cell for row in csv.reader(exported.read_text().splitlines()) for cell in row}
    assert any("HYPERLINK(1)" in cell for cell in cells)
    assert not any(cell.startswith("=") for cell in cells)


def test_compare_tells_all_three_relations(dejafake: Dejafake, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "b.jpg").write_bytes(recompressed(1))
    scores = dejafake("compare", tmp_path / "a.png", tmp_path / "b.jpg", "--json").json()["scores"]
    measured = [(score["relation"], score["measure"]) for score in scores]
    assert measured[:2] == [("same_file", "sha256"), ("same_picture", "pdq_distance")]
    assert measured[-1] == ("same_origin", "cls_cosine")
    assert [score["holds"] for score in scores[:2]] == [False, True]


def test_index_commands_build_verify_and_notice_damage(dejafake: Dejafake, pictures: Path, tmp_path: Path) -> None:
    dejafake("ingest", pictures)
    assert dejafake("index", "status", "--json").json()["state"] == "ready"
    assert "every search is exact" in dejafake("index", "status").out
    assert dejafake("index", "verify").code == 0
    largest = max((tmp_path / "home" / "index").rglob("*.*"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)
    assert dejafake("index", "verify").code == 1
    assert dejafake("index", "build").code == 0
    assert dejafake("index", "verify").code == 0


def test_doctor_says_what_is_wrong_and_what_is_not(dejafake: Dejafake, untrained_detector: Path) -> None:
    assert dejafake("doctor").code == 0
    said = dejafake("--detector", untrained_detector, "doctor")
    assert said.code == 0
    assert "not trained" in said.out
    refused(dejafake("--detector", "community-forensics-384", "doctor"), "detector pull")


def test_detector_commands(dejafake: Dejafake, untrained_detector: Path) -> None:
    assert "community-forensics-384" in dejafake("detector", "list").out
    assert dejafake("detector", "info", "dejafake-small", "--json").json()["spec"] == SPEC.as_json()
    assert dejafake("detector", "info", untrained_detector, "--json").json()["spec"]["trained"] is False
    assert dejafake("detector", "verify").code == 0


def test_descriptor_commands(dejafake: Dejafake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made_descriptor(tmp_path / "mine", background=5)
    monkeypatch.setenv("DEJAFAKE_COPY_DESCRIPTOR", str(folder))
    assert "local:mine" in dejafake("descriptor", "list").out
    assert "16 numbers" in dejafake("descriptor", "info").out
    assert dejafake("descriptor", "verify", "--write", "--json").json()["proof"]["min_cosine"] > 0.9999
    assert "golden embeddings recorded on this machine" in dejafake("descriptor", "verify").out
    refused(dejafake("descriptor", "info", "resnet"), "the registry has dejafake-copies")
    monkeypatch.setenv("DEJAFAKE_COPY_DESCRIPTOR", "off")
    assert "None is in use" in dejafake("descriptor", "list").out
    refused(dejafake("descriptor", "verify"), "name the copy descriptor to verify", code=2)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(dejafake: Dejafake, command: str) -> None:
    said = dejafake(command, "--help")
    assert said.code == 0
    assert f"Usage: dejafake {command}" in said.out


def test_help_starts_without_the_heavy_libraries() -> None:
    probe = """
import atexit, sys
atexit.register(lambda: print(sorted({"torch", "faiss", "numpy"} & set(sys.modules))))
from indexer.cli import main
main(["--help"])
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith("[]")


# Bad input: one clear error, the right exit code, nothing lost.


def test_no_such_folder(dejafake: Dejafake, tmp_path: Path) -> None:
    refused(dejafake("ingest", tmp_path / "nowhere"), "no folder or file")


def test_an_empty_folder(dejafake: Dejafake, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(dejafake("ingest", tmp_path / "empty"), "no pictures")


def test_an_unreadable_file_is_listed_and_the_rest_goes_on(dejafake: Dejafake, pictures: Path) -> None:
    os.mkfifo(pictures / "pipe.png")
    said = dejafake("ingest", pictures)
    assert said.code == 0
    assert "4 added" in said.out
    assert "1 rejected" in said.out
    assert stat.S_ISFIFO((pictures / "pipe.png").stat().st_mode)


def test_a_manifest_without_the_column_that_names_files(dejafake: Dejafake, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("name of desk,label\nnorth,fake\n")
    refused(dejafake("ingest", tmp_path / "list.csv"), "list.csv", "--map path=COLUMN")


def test_a_bad_row_is_named_and_the_others_go_on(dejafake: Dejafake, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "list.csv").write_text("path,technique\na.png,splice\na.png,perhaps\n../../etc/passwd,splice\n")
    said = dejafake("ingest", tmp_path / "list.csv", "--json")
    assert said.code == 0
    report = said.json()[0]["report"]
    assert (report["added"], report["known"], report["rejected"]) == (1, 1, 1)
    assert "row 4" in Path(report["rejected_file"]).read_text()
    assert report["unknown_techniques"] == {"perhaps": 1}


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.png", b"", "empty"),
        ("truncated.jpg", encoded(scene(1), "JPEG")[:700], "truncated"),
        ("bomb.png", png_that_claims(50_000, 50_000), "too_many_pixels"),
        ("text.jpg", b"this is a letter to the editor, not a picture", "not_an_image"),
    ],
)
def test_what_is_no_picture_is_refused_by_ingest_and_search(
    dejafake: Dejafake, tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    said = dejafake("ingest", path, "--json")
    assert said.code == 1
    assert f'"{reason}"' in Path(said.json()[0]["report"]["rejected_file"]).read_text()
    refused(dejafake("search", path))


def test_two_labels_that_disagree_are_kept_and_said(dejafake: Dejafake, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "list.csv").write_text("path,label\na.png,fake\na.png,authentic\n")
    said = dejafake("ingest", tmp_path / "list.csv")
    assert "labels that disagree" in said.out
    found = dejafake("search", tmp_path / "a.png", "--json").json()
    assert found["verdict"]["outcome"] == "inconclusive"
    assert len(found["matches"][0]["image"]["labels"]) == 2


def test_a_catalogue_of_a_newer_schema(dejafake: Dejafake, pictures: Path, tmp_path: Path) -> None:
    dejafake("ingest", pictures)
    engine = create_engine(f"sqlite:///{tmp_path / 'home' / 'catalogue.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE dejafake_schema SET version_num = '9999'"))
    engine.dispose()
    refused(dejafake("index", "status"), "newer dejafake")


def test_no_weights_and_no_network(dejafake: Dejafake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    monkeypatch.setenv("DEJAFAKE_OFFLINE", "true")
    said = dejafake("--detector", "community-forensics-384", "ingest", tmp_path / "a.png")
    refused(said, "detector pull", "dejafake-small")


def test_an_unknown_detector(dejafake: Dejafake, tmp_path: Path) -> None:
    refused(dejafake("--detector", tmp_path / "none", "index", "status"), "the registry has")


@pytest.mark.parametrize(
    "arguments",
    [
        ["search"],
        ["ingest", "x", "--label", "perhaps"],
        ["search", "x.jpg", "--limit", "0"],
        ["ingest", "x", "--map", "nonsense"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_is_exit_code_two(dejafake: Dejafake, arguments: list[str]) -> None:
    refused(dejafake(*arguments), code=2)


def test_a_setting_out_of_range_names_its_variable(dejafake: Dejafake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEJAFAKE_BATCH_SIZE", "none")
    refused(dejafake("doctor"), "DEJAFAKE_BATCH_SIZE", code=2)


def test_text_from_outside_cannot_drive_the_terminal(dejafake: Dejafake, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    row = {"path": "a.png", "label": "fake", "account": "\x1b[2J[bold]evil[/bold]", "platform": "example"}
    (tmp_path / "list.jsonl").write_text(json.dumps(row) + "\n")
    dejafake("ingest", tmp_path / "list.jsonl")
    sha256 = json.loads(dejafake("export").out)["sha256"]
    shown = dejafake("show", sha256).out
    assert "\x1b[2J" not in shown
    assert "[bold]evil[/bold]" in shown
