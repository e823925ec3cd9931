"""The container's health check gets through the host check, whatever port and names the operator chose."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from tests.search_api.served import Api

DOCKERFILE = Path(__file__).parents[2] / "deploy" / "Dockerfile"


def test_the_health_check_asks_by_a_name_that_the_server_answers_to(
    start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (command,) = re.findall(r"^HEALTHCHECK .*?CMD (\[.*?\])$", DOCKERFILE.read_text(), re.DOTALL | re.MULTILINE)
    python, option, code = json.loads(command)
    assert (python, option) == ("python", "-c")
    address = urlsplit(str(start(allowed_hosts=("fakes.example", "127.0.0.1")).client.base_url))
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path))
    monkeypatch.setenv("DEJAFAKE_PORT", str(address.port))
    monkeypatch.setenv("DEJAFAKE_ALLOWED_HOSTS", "fakes.example")
    exec(code, {})
    monkeypatch.setenv("DEJAFAKE_ALLOWED_HOSTS", "another.example")
    with pytest.raises(HTTPError, match="421"):
        exec(code, {})
