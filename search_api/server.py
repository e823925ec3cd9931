"""Running the API: what must hold before the first request, the socket, and uvicorn."""

import errno
import socket

import uvicorn

from indexer.errors import DejafakeError, UsageError
from indexer.settings import Settings
from indexer.workspace import Workspace
from search_api.app import create_app
from search_api.security import is_loopback

_BACKLOG = 128
_GRACE_SECONDS = 10


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
            log_level="info",
            access_log=False,
            server_header=False,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            proxy_headers=False,
            lifespan="on",
        )
        uvicorn.Server(config).run(sockets=[listener])


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
