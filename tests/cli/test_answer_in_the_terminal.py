"""An answer in the terminal: what was found first, copies as one line, the limits in two, everything with --explain."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.cli.app import run
from indexer.verdict.limitations import SHORT_NO_MATCH, SHORT_SIGNAL
from tests.made_pictures import encoded, png, recompressed, scene

Search = Callable[..., str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three re-shared copies of one fake, a copy that a desk called authentic, and another picture."""
    folder = tmp_path_factory.mktemp("answer")
    rows = [
        ("a.png", "fake", "splice", "example-social", "@one", "2026-03-02T09:30:00Z"),
        ("b.png", "fake", "splice", "example-chat", "@two", "2026-03-09T09:30:00Z"),
        ("c.png", "fake", "splice", "example-social", "@three", "2026-03-05T09:30:00Z"),
        ("d.png", "authentic", "", "", "", ""),
    ]
    for name, quality in (("a.png", 95), ("b.png", 85), ("c.png", 75)):
        (folder / name).write_bytes(encoded(scene(1), "JPEG", quality=quality))
    (folder / "d.png").write_bytes(png(2))
    with (folder / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "technique", "platform", "account", "posted_at"), *rows])
    (folder / "known.jpg").write_bytes(recompressed(1))
    (folder / "never.png").write_bytes(png(7))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEJAFAKE_HOME", str(folder / "home"))
        assert run(["ingest", str(folder / "list.csv"), "--stated-by", "desk one"]) == 0
    return folder


@pytest.fixture
def search(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Search:
    """What a search prints."""
    monkeypatch.setenv("DEJAFAKE_HOME", str(home / "home"))
    monkeypatch.setenv("COLUMNS", "400")

    def call(*arguments: str, columns: int = 400) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        capsys.readouterr()
        assert run(["search", *(str(home / one) if (home / one).is_file() else one for one in arguments)]) == 0
        return capsys.readouterr().out

    return call


def test_it_leads_with_the_outcome_and_copies_are_one_line(search: Search) -> None:
    _, outcome, copies, *_ = search("known.jpg").splitlines()
    assert outcome.startswith("known fake match: ")
    assert copies.startswith("3 copies")
    for words in ("labelled fake (splice) by desk one", "seen 3 times, first 2026-03-02, last 2026-03-09"):
        assert words in copies
    assert "example-social (@one, @three), example-chat (@two)" in copies


def test_copies_are_counted_and_dated_in_full_however_few_are_listed(search: Search) -> None:
    said = search("known.jpg", "--limit", "1")
    assert "3 copies" in said
    assert "first 2026-03-02, last 2026-03-09" in said
    assert len(json.loads(search("known.jpg", "--limit", "1", "--json"))["matches"]) == 1


def test_a_filter_narrows_the_copies_and_says_so(search: Search) -> None:
    said = search("known.jpg", "--platform", "example-chat")
    assert "1 copy" in said
    assert "2 matches that it is based on are not listed, because of the filter." in said


def test_the_limits_are_the_last_two_lines_at_80_columns(search: Search) -> None:
    for query in ("known.jpg", "never.png"):
        *_, first, second = search(query, columns=80).splitlines()
        assert first.startswith("· ")
        assert second == f"· {SHORT_SIGNAL}: uncalibrated. All limits: --explain"


def test_no_match_says_that_it_is_not_authentic(search: Search) -> None:
    said = search("never.png")
    assert "no match found" in said
    assert SHORT_NO_MATCH in said
    assert " copies  " not in said


def test_explain_prints_every_match_and_all_that_the_verdict_says(search: Search) -> None:
    said = search("known.jpg", "--explain")
    answer = json.loads(search("known.jpg", "--json"))
    for text in (
        *answer["verdict"]["limitations"],
        *(piece["statement"] for piece in answer["verdict"]["evidence"]),
        *(match["image"]["image"]["sha256"][:12] for match in answer["matches"]),
    ):
        assert text in said
    assert said.count("same_picture") == 3


def test_several_pictures_are_told_apart(search: Search) -> None:
    said = search("known.jpg", "never.png")
    assert said.index("known.jpg") < said.index("3 copies") < said.index("never.png") < said.index("no match found")


def test_an_image_of_the_catalogue_is_the_same_file_as_itself(search: Search) -> None:
    sha256 = json.loads(search("known.jpg", "--json"))["matches"][0]["image"]["image"]["sha256"]
    assert f"nearest {sha256[:12]}, the same file" in search(sha256)
