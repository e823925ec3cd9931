"""`dejafake watch` and `ingest`: what a desk without a server types, from the first watch to the webhook."""

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.cli.app import run
from tests.made_pictures import png, recompressed
from tests.receivers import HOST, is_signed, receiver

KEY = "a key of the webhook's own"


@pytest.fixture
def desk(tmp_path: Path, untrained_detector: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
    monkeypatch.setenv("DEJAFAKE_CALLBACK_HOSTS", HOST)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "watched.png").write_bytes(png(1))
    (tmp_path / "copy.jpg").write_bytes(recompressed(1))
    (tmp_path / "other.png").write_bytes(png(2))
    (tmp_path / "key.txt").write_text(f"{KEY}\n")
    return tmp_path


def test_a_desk_watches_ingests_polls_and_is_told(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def dejafake(*arguments: object, code: int = 0) -> str:
        capsys.readouterr()
        assert run([str(argument) for argument in arguments]) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    def answered(*arguments: object) -> Any:
        return json.loads(dejafake(*arguments, "--json"))

    with receiver(503, 204) as (url, heard):
        watched = ("--image", desk / "watched.png", "--webhook", url, "--secret-file", desk / "key.txt")
        picture = answered("watch", "add", "the mayor", *watched)["id"]
        splices = answered("watch", "add", "splices", "--technique", "splice")["id"]
        said = ("--label", "fake", "--technique", "splice", "--stated-by", "desk one")
        assert "2 alerts of 2 watches" in dejafake("ingest", desk / "copy.jpg", *said)
        assert "alert" not in dejafake("ingest", desk / "other.png", desk / "copy.jpg")
        polled = answered("watch", "poll", picture)
        assert polled["items"][0]["relation"] == "same_picture"
        assert answered("watch", "poll", picture, "--cursor", polled["next_cursor"])["items"] == []
        assert "the same picture as the watched one" in dejafake("watch", "poll")
        assert answered("watch", "run") == {"alerts": 0, "watches": 0, "delivered": 0, "undelivered": 1}
        assert "503" in dejafake("watch", "show", picture)
        dejafake("watch", "resume", picture)
        assert "1 deliveries succeeded" in dejafake("watch", "deliver")
    assert is_signed(*heard[-1], KEY.encode())
    listed = dejafake("watch", "list")
    assert "splices" in listed
    assert KEY not in listed + dejafake("watch", "show", picture, "--json")
    dejafake("watch", "pause", splices)
    assert "paused" in dejafake("watch", "show", splices)
    dejafake("watch", "remove", splices)
    assert "no watch" in dejafake("watch", "show", splices, code=1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nothing",), 2, "watch for one thing"),
        (("two", "--campaign", "cmp_x", "--technique", "splice"), 2, "watch for one thing"),
        (("gone", "--campaign", "cmp_gone"), 1, "no campaign"),
        (("gone", "--image", "missing.png"), 2, "is not a SHA-256"),
        (("keyless", "--technique", "splice", "--webhook", "http://localhost/"), 2, "DEJAFAKE_CALLBACK_SECRET"),
        (("odd", "--technique", "splice", "--secret-file", "key.txt"), 2, "goes with --webhook"),
    ],
)
def test_what_cannot_be_watched_is_one_clear_line(
    desk: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert run(["watch", "add", *arguments]) == code
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
