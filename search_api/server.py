"""Running the API: what must hold before the first request, the socket, uvicorn, and its processes."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.config import LOGGING_CONFIG, STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from indexer.errors import DejafakeError, UsageError
from indexer.imaging.limits import DECODED_BYTES
from indexer.settings import Settings
from indexer.threads import thread_count
from indexer.workspace import Workspace
from search_api.app import create_app
from search_api.layers.connections import LimitedProtocol, Room
from search_api.layers.file_limit import connections_within, raise_file_limit
from search_api.layers.metrics import SHARED
from search_api.layers.security import is_loopback

logger = logging.getLogger("dejafake.api")

_BACKLOG = 128
_GRACE_SECONDS = 10
_ANSWERS_WITHIN = 60
"""Seconds after which a process that does not answer its parent is replaced; importing torch keeps one busy a while."""
_LOGGING: Final[dict[str, Any]] = {
    **LOGGING_CONFIG,
    "filters": {"rate": {"()": "search_api.layers.log_rate.RepeatedLines"}},
    "handlers": {name: {**handler, "filters": ["rate"]} for name, handler in LOGGING_CONFIG["handlers"].items()},
    "loggers": {
        **LOGGING_CONFIG["loggers"],
        **{name: {"handlers": ["default"], "level": "INFO", "propagate": False} for name in ("dejafake", "indexer")},
    },
    "root": {"handlers": ["default"], "level": "WARNING"},
}
"""Uvicorn's own logging, and ours and everybody else's the same way, with a rate on what is repeated."""


def serve(settings: Settings) -> None:
    """Serves the API until interrupted.

    Raises:
        UsageError: other machines could reach the address but no token is set.
        DejafakeError: the port is in use or may not be used, or the installation cannot be opened.
    """
    if settings.api_token is None and not is_loopback(settings.host):
        raise UsageError(
            f"other machines can reach {settings.host}: set DEJAFAKE_API_TOKEN to a long random secret, or listen on "
            "127.0.0.1"
        )
    with listening(settings.host, settings.port) as listener:
        if settings.workers > 1:
            _serve_from_several(settings, listener)
            return
        config = configuration(settings, create_app(settings, Workspace(settings)), _LOGGING)
        with suppress(KeyboardInterrupt):  # uvicorn has shut down in order and passes the interrupt on
            _Announcing(config).run(sockets=[listener])


def _serve_from_several(settings: Settings, listener: socket.socket) -> None:
    """Processes of their own, which accept from one socket; one that dies is replaced.

    Raises:
        DejafakeError: the installation cannot be opened, or a process could not start.
    """
    Workspace(settings).close()  # so that what is wrong with the installation is said here, once
    app = partial(create_app, share_of_each(settings))
    with TemporaryDirectory(prefix="dejafake-metrics-") as counts:
        supervisor = Multiprocess(configuration(settings, app, _LOGGING), [listener])
        os.environ[SHARED] = counts
        try:
            _announce(listener)
            supervisor.run()
        finally:
            del os.environ[SHARED]
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise DejafakeError("a process of the server could not start: see its message above")


def share_of_each(settings: Settings) -> Settings:
    """The settings of one of several processes: what the machine has and nobody set otherwise is divided."""
    threads = settings.threads or max(1, thread_count(0) // settings.workers)
    decoded = settings.max_decoded_bytes or DECODED_BYTES // settings.workers
    return settings.model_copy(update={"threads": threads, "max_decoded_bytes": decoded})


def configuration(
    settings: Settings, app: FastAPI | Callable[[], FastAPI], log_config: dict[str, Any] | None = None
) -> uvicorn.Config:
    """How uvicorn serves one application, or what makes one in each of several processes, within the settings' limits.

    Whoever stands before the server is not believed about who asks: nothing here depends on the client's address.
    """
    room = Room(
        most=connections_within(settings.connections_max, raise_file_limit()),
        header=settings.header_timeout_seconds,
        stall=settings.body_stall_seconds,
        request=settings.request_timeout_seconds,
    )
    return uvicorn.Config(
        app,
        factory=settings.workers > 1,
        workers=settings.workers,
        http=cast(type[asyncio.Protocol], partial(LimitedProtocol, room)),
        ws="none",
        backlog=max(8, min(_BACKLOG, room.most // 4)),  # accepted at once, before `room` sees them
        timeout_worker_healthcheck=_ANSWERS_WITHIN,
        log_config=log_config,
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        proxy_headers=False,
        lifespan="on",
    )


class _Announcing(uvicorn.Server):
    """Says where it listens once it does; uvicorn is silent about sockets it was given."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then says where."""
        await super().startup(sockets)
        for listener in sockets or ():
            _announce(listener)


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    logger.info("dejafake listens on %s (documentation: %s/docs); Ctrl-C stops it", url, url)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port`; 0 takes a free one.

    Raises:
        DejafakeError: the port is in use or may not be used, or the host is none of this machine's.
    """
    name = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise DejafakeError(f"cannot listen on {host}: {error.strerror}") from None
    try:
        if not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise DejafakeError(
                f"port {port} of {host} is in use: stop what uses it, or choose another with --port (0: a free one)"
            ) from None
        raise DejafakeError(f"cannot listen on port {port} of {host}: {error.strerror}") from None
    return listener
