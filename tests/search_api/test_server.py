"""Starting and stopping the server as a program does."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.errors import DejafakeError, UsageError
from indexer.settings import Settings
from search_api.layers.metrics import SHARED
from search_api.layers.security import is_loopback
from search_api.server import listening, serve

RUN = "from indexer.settings import Settings; from search_api.server import serve; serve(Settings.load())"


def test_a_port_in_use_is_one_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DejafakeError, match=rf"port {port} of 127.0.0.1 is in use: .* --port") as caught:
            serve(Settings.load(home=tmp_path, port=port))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_an_address_others_can_reach_needs_a_token(tmp_path: Path, host: str) -> None:
    with pytest.raises(UsageError, match="DEJAFAKE_API_TOKEN"):
        serve(Settings.load(home=tmp_path, host=host))


def test_a_host_that_is_none_of_this_machine_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DejafakeError, match=r"cannot listen on .*192\.0\.2\.1"):
        serve(Settings.load(home=tmp_path, host="192.0.2.1", api_token="secret"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((host, True) for host in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "LocalHost")),
        *((host, False) for host in ("0.0.0.0", "", "10.0.0.1", "localhost.evil.example")),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("workers", [1, 2])
def test_a_catalogue_that_cannot_be_opened_stops_the_start_with_its_own_words(tmp_path: Path, workers: int) -> None:
    (tmp_path / "catalogue.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(DejafakeError, match="catalogue"):
        serve(Settings.load(home=tmp_path, port=0, workers=workers))


def test_what_stops_several_processes_leaves_no_trace_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_supervisor: object) -> None:
        assert SHARED in os.environ
        raise KeyboardInterrupt

    monkeypatch.setattr("search_api.server.Multiprocess.run", stop)
    with pytest.raises(KeyboardInterrupt):
        serve(Settings.load(home=tmp_path, port=0, workers=2))
    assert SHARED not in os.environ


def test_interrupting_the_program_ends_it_cleanly(tmp_path: Path) -> None:
    with listening("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    given = {"DEJAFAKE_HOME": str(tmp_path), "DEJAFAKE_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-c", RUN], env={**os.environ, **given}, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stderr is not None
        said = []
        for line in program.stderr:
            said.append(line)
            if "dejafake listens on" in line:
                program.send_signal(signal.SIGINT)
        assert program.wait(60) in (0, -signal.SIGINT, 130), "".join(said)
    assert not any("Traceback" in line for line in said)
