"""What reaches a terminal or a pipe: no escape from outside, no character that ends a command, no word about a closed
pipe."""

import io
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.cli import terminal
from indexer.cli.app import run
from tests.made_pictures import png

HARM = "\x1b]0;owned\x07\x9b31m\u202egnp\u2066\x7f\r"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
CLI = sorted((Path(__file__).parents[2] / "indexer" / "cli").glob("*.py"))


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], io.BytesIO]:
    """Standard output as a pipe of an encoding."""

    def make(encoding: str) -> io.BytesIO:
        buffer = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding=encoding, write_through=True))
        return buffer

    return make


def test_nothing_from_outside_drives_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / f"home{HARM}"))
    picture = tmp_path / f"a{HARM}.png"
    picture.write_bytes(png(0))
    options = ["--label", "fake", "--stated-by", f"me{HARM}", "--generator", f"g{HARM}", "--collection", f"c{HARM}"]
    run(["ingest", str(picture), *options])
    run(["ingest", str(tmp_path / f"nowhere{HARM}"), f"--wrong{HARM}"])
    run(["search", str(picture), str(tmp_path / f"nowhere{HARM}.png")])
    run(["search", str(picture), "--collection", f"nowhere{HARM}"])
    run(["show", f"abcdef{HARM}"])
    run(["hashes", "list"])
    run(["export", "--format", "csv", "--output", str(tmp_path / f"nowhere{HARM}" / "x.csv")])
    run(["evaluate", f"collection:nowhere{HARM}"])
    run(["--home", str(tmp_path / f"file{HARM}"), "--database-url", f"nothing{HARM}", "doctor"])
    printed = capsys.readouterr()
    assert "owned" in printed.out
    assert "owned" in printed.err
    assert not RAW.search(printed.out)
    assert not RAW.search(printed.err)


def test_the_console_writes_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.SafeConsole().print(f"[bold]name[/bold] :smile: {HARM}")
    said = capsys.readouterr().out
    assert said.startswith("[bold]name[/bold] :smile: \\x1b]0;owned")
    assert not RAW.search(said)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii", "utf-16"])
def test_json_is_the_same_value_in_every_pipe(encoding: str, pipe: Callable[[str], io.BytesIO]) -> None:
    value = {"author": f"مكتب 事实核查 é 😀 {HARM}"}
    buffer = pipe(encoding)
    terminal.write_json(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    text = buffer.getvalue().decode(encoding)
    assert json.loads(text) == value
    assert not RAW.search(text)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "shift-jis"])
def test_no_character_ends_a_command(encoding: str, pipe: Callable[[str], io.BytesIO]) -> None:
    buffer = pipe(encoding)
    terminal.prepare()
    terminal.echo("مكتب 事实核查 é 😀")
    terminal.SafeConsole().print("مكتب 事实核查 é 😀")
    assert b"\\u0645" in buffer.getvalue()


def test_data_is_utf8_in_a_pipe_of_another_encoding(pipe: Callable[[str], io.BytesIO]) -> None:
    buffer = pipe("cp1252")
    terminal.data_out().write("é 事,\r\n")
    sys.stdout.flush()
    assert buffer.getvalue() == "é 事,\r\n".encode()


def test_data_is_harmless_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    terminal.data_out().write(f"a,{HARM}\r\n")
    assert not RAW.search(screen.getvalue())


def test_a_pipe_that_nobody_reads_ends_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        assert run(["hashes", "list", "--json"]) == 1
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("path", CLI, ids=lambda path: path.name)
def test_commands_write_through_the_terminal_only(path: Path) -> None:
    if path.name in ("terminal.py", "__init__.py"):
        return
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"click\.echo|click\.secho|sys\.stdout\.write|(?<!Safe)Console\(", text)
