"""The receiver that the docs show works as it stands, and refuses what is not signed with its key."""

import json
import re
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from indexer.catalog.tables.types import utc_now
from indexer.delivery import Webhooks
from indexer.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "watching.md"


def test_the_receiver_of_the_docs_takes_what_is_signed_once_and_nothing_else(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "receiver.py").write_text(code, encoding="utf-8")
    (tmp_path / "webhook.key").write_text("its own key of the docs\n", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    webhooks = Webhooks(Settings.load(home=tmp_path, callback_hosts=(f"127.0.0.1:{port}",)))
    body = json.dumps({"delivery": "one", "events": [{"sha256": "ab" * 32, "statement": "the same file"}]}).encode()
    url, key, now = f"http://127.0.0.1:{port}/", SecretStr("its own key of the docs"), utc_now()
    command = [sys.executable, "receiver.py", "webhook.key", port]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as receiver:
        try:
            while (answer := webhooks.send(url, body, "one", now, key)) is not None and "answered" not in answer:
                assert receiver.poll() is None
            assert answer is None
            assert webhooks.send(url, body, "one", now, key) is None, "a repetition is taken, and not said again"
            assert webhooks.send(url, body, "two", now, SecretStr("another key of nobody")) == "answered with 401"
            assert webhooks.send(url, body, "three", now - timedelta(hours=1), key) == "answered with 401"
        finally:
            receiver.terminate()
        assert receiver.stdout is not None
        assert receiver.stdout.read().decode().splitlines() == [f"{'ab' * 32} the same file"]
