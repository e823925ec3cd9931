"""Running the API: what must hold before the first request, the socket, and uvicorn."""

import errno
import logging
import socket
from contextlib import suppress
from typing import Any, Final

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from indexer.errors import DejafakeError, UsageError
from indexer.settings import Settings
from indexer.workspace import Workspace
from search_api.app import create_app
from search_api.security import is_loopback

logger = logging.getLogger("dejafake.api")

_BACKLOG = 128
_GRACE_SECONDS = 10
_LOGGING: Final[dict[str, Any]] = {
    **LOGGING_CONFIG,
    "loggers": {
        **LOGGING_CONFIG["loggers"],
        **{name: {"handlers": ["default"], "level": "INFO", "propagate": False} for name in ("dejafake", "indexer")},
    },
}
"""Uvicorn's own logging, and ours the same way."""


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
        app = create_app(settings, Workspace(settings))
        config = uvicorn.Config(
            app,
            log_config=_LOGGING,
            access_log=False,
            server_header=False,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            proxy_headers=False,
            lifespan="on",
        )
        with suppress(KeyboardInterrupt):  # uvicorn has shut down in order and passes the interrupt on
            _Announcing(config).run(sockets=[listener])


class _Announcing(uvicorn.Server):
    """Says where it listens once it does; uvicorn is silent about sockets it was given."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then says where."""
        await super().startup(sockets)
        for listener in sockets or ():
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
