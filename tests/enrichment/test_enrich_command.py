"""`dejafake enrich`: what a user types, reads, and gets as exit codes."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.cli.app import run
from indexer.imaging.decoding import sha256_hex
from indexer.settings import Settings
from tests.enrichment.enriched_tables import as_csv
from tests.made_pictures import png

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def enrich(home: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DEJAFAKE_SAME_ORIGIN_MIN_COSINE", "1.0")

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["--home", str(home.home), "--detector", home.detector, "enrich", *map(str, arguments)])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return call


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    return as_csv(tmp_path, [{"sha256": sha256_hex(png(0))}, {"sha256": "f" * 64}, {"sha256": "none"}])


def test_the_mapping_is_shown_first_and_the_outcomes_at_the_end(enrich: Command, cases: Path, tmp_path: Path) -> None:
    code, out, err = enrich(cases, "--out", tmp_path / "out.csv")
    assert code == 0
    assert "sha256: read from column sha256" in err
    assert "known fake match" in out
    assert "3 rows" in out
    assert "out.rejected.jsonl" in out
    assert (tmp_path / "out.csv").exists()


def test_machines_get_json(enrich: Command, cases: Path, tmp_path: Path) -> None:
    code, out, _ = enrich(cases, "--out", tmp_path / "out.csv", "--json")
    assert code == 0
    assert json.loads(out)["outcomes"] == {"error": 1, "known_fake_match": 1, "not_assessable": 1}


def test_it_fails_when_no_row_could_be_answered(enrich: Command, tmp_path: Path) -> None:
    code, _, _ = enrich(as_csv(tmp_path, [{"sha256": "none"}]), "--out", tmp_path / "out.csv")
    assert code == 1


def test_a_table_of_a_database_is_enriched_by_its_url(enrich: Command, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        connection.execute("CREATE TABLE media (id INTEGER PRIMARY KEY, sha256 TEXT)")
        connection.execute("INSERT INTO media (sha256) VALUES (?)", [sha256_hex(png(1))])
    connection.close()
    code, out, _ = enrich("--sql", f"sqlite:///{tmp_path / 'desk.db'}", "--table", "media", "--key", "id")
    assert code == 0
    assert "media_dejafake" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say what to enrich"),
        (["cases.csv"], "say what to enrich"),
        (["cases.csv", "--out", "out.csv", "--key", "id"], "go with --sql"),
        (["--sql", "sqlite:///x.db", "--table", "media"], "--sql needs"),
        (["cases.csv", "--sql", "sqlite:///x.db"], "or --sql"),
        (["cases.csv", "--out", "out.csv", "--map", "sha256"], "FIELD=COLUMN"),
        (["cases.csv", "--out", "out.csv", "--prefix", "1; x"], "cannot be a prefix"),
    ],
)
def test_a_wrong_use_is_one_line_and_code_2(
    enrich: Command, cases: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(cases.parent)
    code, out, err = enrich(*arguments)
    assert (code, out) == (2, "")
    assert words in err
