"""Commands that take several files or ids name the bad one, do the rest, and end with exit code 1."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.cli.app import run
from tests.made_pictures import png, recompressed

Dejafake = Callable[..., tuple[int, str, str]]


@pytest.fixture
def dejafake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dejafake:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    (tmp_path / "forbidden.jpg").write_text("<html>403 Forbidden</html>", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_an_ingest_of_several_sources_does_those_it_can(dejafake: Dejafake, files: Path) -> None:
    (files / "book.xlsx").write_bytes(b"PK\x03\x04")
    (files / "broken.csv").write_bytes(b"path\n1.png\n\xff\n")
    given = ["0.png", "empty", "book.xlsx", "broken.csv", "nowhere"]
    code, out, err = dejafake("ingest", *(files / name for name in given), "--json")
    assert code == 1
    done = json.loads(out)
    assert [Path(one["path"]).name for one in done] == given
    assert ["error" in one and one["error"] is not None for one in done] == [False, True, True, True, True]
    assert done[0]["report"]["added"] == done[3]["report"]["added"] == 1
    assert all(word in err for word in ("empty", "book.xlsx", "broken.csv", "nowhere"))
    code, out, _ = dejafake("ingest", files / "0.png", files / "empty")
    assert code == 1
    assert "1 known already" in out
    assert dejafake("ingest", files / "0.png", files / "1.png")[0] == 0


def test_a_search_of_several_pictures_answers_those_it_can(dejafake: Dejafake, files: Path) -> None:
    dejafake("ingest", files / "0.png", "--label", "fake")
    code, out, err = dejafake("search", files / "0.png", files / "forbidden.jpg", "abcdef12", files / "1.png", "--json")
    assert code == 1
    answers = [json.loads(line) for line in out.splitlines()]
    assert ["verdict" in answer for answer in answers] == [True, False, False, True]
    assert [answer["error"]["code"] for answer in answers[1:3]] == ["image-rejected", "not-found"]
    assert answers[1]["error"]["reason"] == "not_an_image"
    assert "forbidden.jpg" in err
    assert "abcdef12" in err
    assert dejafake("search", files / "0.png", files / "1.png")[0] == 0


def test_compare_names_each_file_that_is_no_picture(dejafake: Dejafake, files: Path) -> None:
    code, out, err = dejafake("compare", files / "forbidden.jpg", files / "nowhere.png", "--json")
    assert code == 1
    assert [Path(json.loads(line)["query"]).name for line in out.splitlines()] == ["forbidden.jpg", "nowhere.png"]
    assert "forbidden.jpg" in err
    assert "0.png" not in dejafake("compare", files / "0.png", files / "nowhere.png")[2]


def test_labels_are_stated_of_those_that_are_here(dejafake: Dejafake, files: Path) -> None:
    (_, out, _) = dejafake("ingest", files / "0.png")
    (_, out, _) = dejafake("search", files / "0.png", "--json", "--label", "any")
    sha256 = json.loads(out)["query"]["sha256"]
    code, out, err = dejafake("label", sha256, "abcdef12", "zzz", "--as", "fake", "--json")
    assert code == 1
    one, unknown, malformed = json.loads(out)
    assert one["label"]["value"] == "fake"
    assert [unknown["query"], malformed["query"]] == ["abcdef12", "zzz"]
    assert "abcdef12" in err


def test_a_decision_is_made_about_all_of_its_images_or_none(dejafake: Dejafake, files: Path) -> None:
    dejafake("ingest", files / "0.png")
    code, _, err = dejafake("decide", "reject", "cmp_k3v9x2m4q7ab", "abcdef12", "fedcba98")
    assert code == 1
    assert "abcdef12" in err
    assert "fedcba98" in err


def test_enriched_and_evaluated_tables_know_roots_and_forms_of_names(dejafake: Dejafake, files: Path) -> None:
    lists = files / "lists"
    lists.mkdir()
    (files / unicodedata.normalize("NFD", "café.jpg")).write_bytes(recompressed(0))
    dejafake("ingest", files / "0.png", "--label", "fake")
    table = lists / "t.csv"
    table.write_text(f"path\n{files}/0.png\n{files}/café.jpg\n", encoding="utf-8")
    assert dejafake("enrich", table, "--out", lists / "no.csv")[0] == 1
    code, _, _ = dejafake("enrich", table, "--out", lists / "out.csv", "--root", files)
    assert code == 0
    assert (lists / "out.csv").read_text(encoding="utf-8").count("known_fake_match") == 2
    assert "--root FOLDER" in (lists / "no.csv").read_text(encoding="utf-8")
