"""Ctrl-C and SIGTERM end a command with one line and their code, whatever it is doing, and lose nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.made_pictures import png

SIGNAL_AT = """
import os, signal, sys
def stop(event, args, sent=[]):
    if event == {event!r} and {wanted!r} in str(args[0]) and not sent:
        sent.append(1)
        os.kill(os.getpid(), {number})
sys.addaudithook(stop)
from indexer.cli import main
main(sys.argv[1:])
"""
"""A command that is sent a real signal at the moment it imports or opens something."""


def stopped(event: str, wanted: str, number: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    code = SIGNAL_AT.format(event=event, wanted=wanted, number=int(number))
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    (tmp_path / "pictures").mkdir()
    for number in range(6):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(png(number))
    return tmp_path / "pictures"


@pytest.mark.parametrize(
    ("event", "wanted", "number"),
    [
        ("import", "indexer.cli.app", signal.SIGINT),
        ("import", "pydantic", signal.SIGTERM),
        ("import", "numpy", signal.SIGINT),
        ("import", "torch", signal.SIGTERM),
        ("open", "thumbnails", signal.SIGINT),
    ],
)
def test_it_ends_with_one_line_and_its_code_and_the_next_run_does_the_rest(
    event: str, wanted: str, number: int, pictures: Path
) -> None:
    done = stopped(event, wanted, number, "ingest", pictures)
    assert done.returncode == 128 + number, done.stderr
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr
    assert done.stderr.count("dejafake: interrupted") == 1
    home = pictures.parent / "home"
    assert not [path for path in home.rglob("*") if path.suffix in (".part", ".tmp")]
    if event == "open":
        again = subprocess.run(
            [sys.executable, "-c", "from indexer.cli import main; main()", "ingest", str(pictures)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert again.returncode == 0, again.stderr


DROPPED = """
import os, signal, threading
from indexer.cli import signals
class Careless:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
signals.listen()
try:
    Careless()
    threading.Event().wait(30)
except KeyboardInterrupt:
    os._exit(signals.received())
"""


def test_an_interrupt_that_python_drops_is_raised_again() -> None:
    done = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 130, done.stderr
