"""Connection limits: how many, and time limits for headers, stalled bodies and unread answers. uvicorn only limits idle
connections between requests; clients that send nothing, or a byte now and then, could otherwise block the server for
ever.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

from search_api.layers.errors import MEDIA_TYPE, problem

PROBES: Final = ("/healthz", "/readyz", "/metrics")
KEPT_FOR_PROBES: Final = 16
"""Connections, of the most there may be, on which only probes are answered."""
_GRACE: Final = 10.0
"""Seconds beyond a limit after which a connection is dropped whatever is still to be sent on it."""


@dataclass(slots=True)
class Room:
    """The limits of a process's connections, times in seconds; and the current connections.

    Attributes:
        most: connections at a time.
        header: from a connection's first moment, or a further request's first byte, to the end of the headers.
        stall: between two chunks of a body.
        request: from the end of the headers to the end of the answer.
        idle: connections without a request, the longest without first.
        busy: connections with a request.
    """

    most: int
    header: float
    stall: float
    request: float
    idle: dict["LimitedProtocol", None] = field(default_factory=dict)
    busy: set["LimitedProtocol"] = field(default_factory=set)


class LimitedProtocol(H11Protocol):
    """One connection. When there are too many, the one that has been idle longest is closed."""

    def __init__(
        self,
        room: Room,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.app = cast("ASGI3Application", _WithinRoom(cast(ASGIApp, self.app), room))
        self._room = room
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._answering: object = None
        self._heard = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accepts the connection, closing an idle one if needed."""
        super().connection_made(transport)
        room = self._room
        if len(room.busy) + len(room.idle) >= room.most:
            if not room.idle:
                self._turn_away(503, "service-unavailable", "There are too many connections already.")
                return
            next(iter(room.idle))._drop()
        room.idle[self] = None
        self._after("header", room.header, self._header_is_late)

    def data_received(self, data: bytes) -> None:
        """Handles received data; the first byte of a request starts the time limit for its headers."""
        if self.transport.is_closing():
            return
        self._heard = self.loop.time()
        if not self._busy() and "header" not in self._timers:
            self._after("header", self._room.header, self._header_is_late)
        super().data_received(data)
        self._sort()

    def on_response_complete(self) -> None:
        """The answer has been written, though perhaps not sent yet."""
        super().on_response_complete()
        self._sort()

    def timeout_keep_alive_handler(self) -> None:
        """No further request came after the last answer."""
        super().timeout_keep_alive_handler()
        self._sort()

    def shutdown(self) -> None:
        """The server ends."""
        super().shutdown()
        self._sort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Frees its place."""
        self._leave()
        super().connection_lost(exc)

    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _sort(self) -> None:
        """Reclassifies the connection as idle or busy after an event."""
        if self.transport.is_closing():
            self._leave()
            self._after("abort", _GRACE, self.transport.abort)
        elif not self._busy():
            self._forget("life", "stall")
            self._room.busy.discard(self)
            self._room.idle.setdefault(self)
        elif self._answering is not self.cycle:
            self._answering = self.cycle
            self._forget("header", "life", "stall")
            self._room.idle.pop(self, None)
            self._room.busy.add(self)
            self._after("life", self._room.request + _GRACE, self.transport.abort)
            self._after("stall", self._room.stall, self._look_at_body)

    def _look_at_body(self) -> None:
        self._timers.pop("stall", None)
        if not self._busy() or not self.cycle.more_body:
            return
        silent = 0.0 if self.flow.read_paused else self.loop.time() - self._heard
        if silent < self._room.stall:
            self._after("stall", self._room.stall - silent, self._look_at_body)
            return
        started = self.cycle.response_started
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        if started:
            self._drop()
        else:
            self._turn_away(408, "timeout", f"Nothing of the body came for {self._room.stall:g} seconds.")

    def _header_is_late(self) -> None:
        if self._heard and self._answering is None:
            self._turn_away(408, "timeout", f"The headers took longer than {self._room.header:g} seconds.")
        else:
            self._drop()

    def _turn_away(self, status: int, code: str, words: str) -> None:
        """Answers in place of the application."""
        body = bytes(problem(status, code, words).body)
        title = json.loads(body)["title"]
        head = (
            f"HTTP/1.1 {status} {title}\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            "Retry-After: 5\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self._drop()

    def _drop(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
        self._sort()

    def _leave(self) -> None:
        self._forget(*self._timers)
        self._room.idle.pop(self, None)
        self._room.busy.discard(self)

    def _after(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        self._forget(name)
        self._timers[name] = self.loop.call_later(seconds, act)

    def _forget(self, *names: str) -> None:
        for name in names:
            if timer := self._timers.pop(name, None):
                timer.cancel()


class _WithinRoom:
    """Always answers probes, and other requests only while there is room."""

    def __init__(self, app: ASGIApp, room: Room) -> None:
        self._app = app
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self._room.busy) <= self._room.most - KEPT_FOR_PROBES or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        words = "The server is answering as many requests as it takes: send it again later."
        headers = {"Retry-After": "5", "Connection": "close"}
        await problem(503, "service-unavailable", words, headers=headers)(scope, receive, send)
