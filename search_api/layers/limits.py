"""Limits on requests as pure ASGI layers: body bytes counted while they stream, and time.

Both answer directly, so that nothing behind them (such as a form parser) can turn a limit into another error.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.layers.errors import problem

logger = logging.getLogger("dejafake.api")

MIB: Final = 1024 * 1024
MAX_PLAIN_BODY: Final = MIB
"""Largest body that is not an upload, in bytes: an embedding of 384 numbers takes about 8 kB of JSON."""
ROW_BYTES: Final = 2_048
"""What a row of a job takes at most, on average: two hashes and a name, or a fact-check."""
MAX_FIELDS: Final = 100
"""Most form fields beside the files."""
MAX_FIELD_BYTES: Final = 64 * 1024
"""Largest form field."""

_LINGER_BYTES: Final = 4 * MIB
_LINGER_SECONDS: Final = 2.0
_DISCONNECT: Final[Message] = {"type": "http.disconnect"}


def job_body_max(rows: int) -> int:
    """The maximum JSON size in bytes of a job with up to this many rows."""
    return max(MAX_PLAIN_BODY, rows * ROW_BYTES)


class _Aborted(Exception):  # noqa: N818
    """Unwinds the application after a limit has answered its request."""


class BodyLimit:
    """Refuses bodies that are too large with 413: at once by Content-Length, otherwise once they pass the limit.

    Args:
        app: the application behind.
        max_upload: most bytes of a multipart body, and of any other.
        plain: most bytes of a body that is not an upload, by path; elsewhere `MAX_PLAIN_BODY`.
    """

    def __init__(self, app: ASGIApp, max_upload: int, plain: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._max_upload = max_upload
        self._plain = plain or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        upload = headers.get("content-type", "").lower().startswith("multipart/")
        limit = self._max_upload if upload else min(self._max_upload, self._plain.get(scope["path"], MAX_PLAIN_BODY))

        async def refuse() -> None:
            words = f"The request's body is larger than {limit} bytes."
            response = problem(413, "body-too-large", words, headers={"Connection": "close"})
            await response(scope, receive, _lingering(receive, send))

        declared = headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
            await refuse()
            return
        seen = 0
        started = answered = False

        async def counted() -> Message:
            nonlocal seen, answered
            if answered:
                raise _Aborted
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                answered = True
                if not started:
                    await refuse()
                raise _Aborted
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if not answered:
                started = True
                await send(message)

        with suppress(_Aborted):
            await self._app(scope, counted, guarded)


def _lingering(receive: Receive, send: Send) -> Send:
    """Sends a response at once but keeps reading for a while: a client that is still writing would otherwise get a
    connection reset instead of the answer.
    """

    async def lingering(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        await send({**message, "more_body": True})
        drained = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while drained < _LINGER_BYTES:
                    piece = await receive()
                    drained += len(piece.get("body", b""))
                    if piece["type"] == "http.disconnect" or not piece.get("more_body", False):
                        break
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return lingering


class TimeLimit:
    """Answers 503 when a request takes too long, a slow upload included.

    The application is told that the client disconnected and may finish its step (a running forward pass cannot be
    interrupted); anything it still sends is discarded.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        expired = asyncio.get_running_loop().create_future()
        started = False

        async def until_expired() -> Message:
            if expired.done():
                return _DISCONNECT
            waiting = asyncio.ensure_future(receive())
            try:
                await asyncio.wait({waiting, expired}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not waiting.done():
                    waiting.cancel()
            return waiting.result() if waiting.done() and not waiting.cancelled() else _DISCONNECT

        async def guarded(message: Message) -> None:
            nonlocal started
            if not expired.done():
                started = True
                await send(message)

        task = asyncio.create_task(self._answer(scope, until_expired, guarded))
        try:
            await asyncio.wait({task}, timeout=self._seconds)
        finally:
            if not task.done():
                expired.set_result(None)
                self._late.add(task)
                task.add_done_callback(self._forget)
        if task.done():
            task.result()
        elif not started:
            words = f"The request took longer than {self._seconds:g} seconds."
            response = problem(503, "timeout", words, headers={"Retry-After": "10", "Connection": "close"})
            await response(scope, receive, send)
        else:
            raise TimeoutError(f"a response took longer than {self._seconds:g} seconds")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._late.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.info("a request that had run out of time ended with %r", error)
