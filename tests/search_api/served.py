"""Real servers for the tests of the API, and what every test says about answers."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI

from indexer.detector import Detector
from indexer.settings import Settings
from indexer.workspace import Workspace
from search_api.app import create_app
from search_api.server import configuration, listening
from tests.made_pictures import png


@dataclass(frozen=True)
class Api:
    """A running server. `client` speaks to it; `fakes` and `authentic` are the SHA-256 of what it holds, by seed."""

    url: str
    settings: Settings
    app: FastAPI
    client: httpx.Client
    fakes: dict[int, str]
    authentic: dict[int, str]


class Loaded(Workspace):
    """A workspace whose detector was loaded before, so that each server need not load it again."""

    def __init__(self, settings: Settings, detector: Detector) -> None:
        super().__init__(settings)
        self._before = detector

    def detector(self) -> Detector:
        self._loaded = self._before
        return self._before


@contextmanager
def running(settings: Settings, workspace: Workspace | None = None) -> Iterator[Api]:
    """A real uvicorn in a thread; requests wait in the socket's backlog until it has started."""
    listener = listening("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = create_app(settings, workspace)
    server = uvicorn.Server(configuration(settings, app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        headers = {}
        if settings.api_token is not None:
            headers["Authorization"] = f"Bearer {settings.api_token.get_secret_value()}"
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            yield Api(url, settings, app, client, {}, {})
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def fill(server: Api, known: dict[int, str], seeds: range, **said: str) -> None:
    """Uploads the scenes of these seeds."""
    pictures = {seed: png(seed) for seed in seeds}
    files = [("files", (f"scene-{seed}.png", data, "image/png")) for seed, data in pictures.items()]
    answer = server.client.post("/v1/images", files=files, data=said)
    assert answer.status_code == 200, answer.text
    assert answer.json()["added"] == len(pictures)
    known.update({seed: hashlib.sha256(data).hexdigest() for seed, data in pictures.items()})


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The problem document of an answer, after checking that it is one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document: dict[str, object] = answer.json()
    assert (answer.status_code, document["status"]) == (status, status), document
    assert document["type"] == f"urn:dejafake:problem:{code}"
    assert document["title"]
    assert document["detail"]
    assert str(document["instance"]).startswith("urn:uuid:")
    return document
