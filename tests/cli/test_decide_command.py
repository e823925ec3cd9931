"""`dejafake decide` and what `dejafake campaigns` shows of it: what an analyst types, reads, and gets as exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.cli.app import run
from indexer.errors import CatalogError
from indexer.vocabulary import LabelValue
from tests.made_pictures import encoded, scene

Said = tuple[int, str, str]
Dejafake = Callable[..., Said]


@pytest.fixture
def dejafake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], untrained_detector: Path
) -> Dejafake:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
    monkeypatch.setenv("COLUMNS", "220")

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def copies(folder: Path, seed: int, *qualities: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for quality in qualities:
        (folder / f"{seed}-{quality}.jpg").write_bytes(encoded(scene(seed), "JPEG", quality=quality))
    return folder


def answer(said: Said) -> Any:
    assert said[0] == 0, said
    return json.loads(said[1])


def test_an_analyst_decides_reads_the_record_and_takes_it_back(dejafake: Dejafake, tmp_path: Path) -> None:
    copies(tmp_path / "in", 1, 95, 85, 75)
    copies(tmp_path / "in", 2, 95, 85, 75)
    assert dejafake("ingest", tmp_path / "in", "--label", LabelValue.FAKE.value)[0] == 0
    assert dejafake("cluster")[0] == 0
    assert (
        "1 joined campaigns as suggested"
        in dejafake("ingest", copies(tmp_path / "later", 1, 65), "--label", LabelValue.FAKE.value)[1]
    )
    one, other = (campaign["id"] for campaign in answer(dejafake("campaigns", "--json")))
    newest = answer(dejafake("campaigns", "--events", "--json"))[0]
    assert (newest["campaign"], newest["kind"], newest["added"], newest["run"]) == (one, "grew", 1, None)
    members = answer(dejafake("campaigns", one, "--json"))
    (image,) = (member["sha256"] for member in members if "joined when it was ingested" in member["reasons"][-1])

    said = ("--by", "ana", "--note", "own eyes")
    rejected = answer(dejafake("decide", "reject", one, image[:12], *said, "--json"))
    assert (rejected["kind"], rejected["by"], rejected["note"]) == ("reject_member", "ana", "own eyes")
    assert image[:16] in dejafake("campaigns", one, "--rejected")[1]
    shown = dejafake("decide", "show", rejected["id"])[1]
    assert "own eyes" in shown
    assert image[:16] in shown
    code, _, error = dejafake("decide", "confirm", one, image)
    assert code == 1
    assert f"dejafake decide undo {rejected['id']}" in error
    assert dejafake("decide", "undo", rejected["id"])[0] == 0
    assert dejafake("decide", "confirm", one, image)[0] == 0
    assert dejafake("decide", "rename", one, "Teapots")[0] == 0
    assert dejafake("decide", "confirm", one)[0] == 0
    assert dejafake("decide", "pin", one)[0] == 0
    assert dejafake("decide", "annotate", one, "--note", "see the archive")[0] == 0
    part = next(member["sha256"] for member in members if member["sha256"] != image)
    split = answer(dejafake("decide", "split", one, part, "--json"))
    assert split["other"]
    assert dejafake("decide", "undo", split["id"])[0] == 0
    assert dejafake("decide", "merge", one, other)[0] == 0
    code, _, error = dejafake("campaigns", other)
    assert code == 1
    assert f"merged into {one}" in error
    assert "merged into" in dejafake("campaigns", "--events", other)[1]
    assert dejafake("decide", "close", one)[0] == 0
    assert "closed, confirmed" in dejafake("campaigns")[1]
    record = dejafake("decide", "list", one)[1]
    for words in ("closed", "merged into it", "see the archive", "pinned", "renamed to Teapots", "undone by decision"):
        assert words in record
    assert dejafake("cluster")[0] == 0
    (left,) = answer(dejafake("campaigns", "--json"))
    assert (left["id"], left["name"], left["size"], left["state"]) == (one, "Teapots", 7, "closed")


def test_mistakes_get_one_line_and_the_right_exit_code(dejafake: Dejafake) -> None:
    mistakes = (
        (1, ("campaigns", "cmp_none")),
        (1, ("campaigns", "--events", "cmp_none")),
        (1, ("decide", "close", "cmp_none")),
        (1, ("decide", "undo", "7")),
        (1, ("decide", "show", "7")),
        (2, ("campaigns", "--rejected")),
        (2, ("decide", "reject", "cmp_none")),
        (2, ("decide", "confirm", "cmp_none", "zzz")),
        (2, ("decide", "undo", "0")),
    )
    for code, typed in mistakes:
        found, _, error = dejafake(*typed)
        assert found == code, typed
        assert "Traceback" not in error
    assert "Nobody decided anything yet" in dejafake("decide", "list")[1]


def test_an_ingest_is_done_even_when_joining_campaigns_fails(
    dejafake: Dejafake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise CatalogError("the catalogue is locked")

    monkeypatch.setattr("indexer.cli.catalogue.ingest.join_campaigns", locked)
    code, out, error = dejafake("ingest", copies(tmp_path / "in", 1, 95), "--label", "fake")
    assert (code, "1 added" in out) == (0, True)
    assert "joined no campaigns (the catalogue is locked)" in error
