"""A model hub on the loopback interface: real HTTP, the hub's paths and headers, files from memory."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """What the hub serves and what it was asked. `cut_once`: the first answer with this file breaks off halfway."""

    repository: str
    revision: str
    files: dict[str, bytes]
    cut_once: str | None = None
    endpoint: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serves `hub` until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, *_arguments: object) -> None:
            pass

        def _answer(self, *, with_body: bool) -> None:
            asked_range = self.headers.get("Range")
            hub.asked.append((self.command, self.path, asked_range))
            if "Authorization" in self.headers:
                hub.tokens.append(self.headers["Authorization"])
            start = f"/{hub.repository}/resolve/{hub.revision}/"
            body = hub.files.get(self.path.removeprefix(start)) if self.path.startswith(start) else None
            if body is None:
                self.send_response(404)
                known = self.path.startswith(f"/{hub.repository}/resolve/")
                self.send_header("X-Error-Code", "RevisionNotFound" if known else "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            offset = int(asked_range.removeprefix("bytes=").split("-")[0]) if asked_range else 0
            self.send_response(206 if offset else 200)
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", hub.revision)
            self.send_header("Content-Length", str(len(body) - offset))
            if offset:
                self.send_header("Content-Range", f"bytes {offset}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            if not with_body:
                return
            if hub.cut_once is not None and self.path.endswith("/" + hub.cut_once):
                hub.cut_once = None
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
                return
            self.wfile.write(body[offset:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
