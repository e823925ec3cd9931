"""Access rules: host names, cross-site requests of browsers, the bearer token; and the security headers of every
answer.

A browser on this machine can be made to send requests to loopback by any page it visits: the host allow-list stops
DNS rebinding, the Origin and Sec-Fetch-Site checks stop the rest.
"""

import hmac
import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.settings.host_names import host_name
from search_api.layers.errors import problem

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the pages: nothing from elsewhere, nothing inline."""

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "Cache-Control": "no-store",
}
_PUBLIC: Final = ("/healthz", "/readyz", "/openapi.json", "/docs", "/login", "/preferences")
"""Addresses that answer without the token: they hold nothing of the catalogue."""
_BEARER_ONLY: Final = ("/v1/", "/metrics")
"""Where these prefixes begin an address, the session cookie of the pages does not stand for the token."""
_PICTURE: Final = re.compile(r"/v1/images/[0-9a-f]{64}/(thumbnail|heatmap|picture)")
"""Pictures that pages show: GETs of these take the session cookie, too."""
_PUBLIC_PREFIX: Final = "/static/"


def is_loopback(host: str) -> bool:
    """Whether an address or name to listen on is reachable from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class SecurityHeaders:
    """Adds the security headers to every response that does not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class Guard:
    """Lets a request through or answers it with a problem.

    Args:
        app: the application behind.
        allowed_hosts: names the Host header may carry, without port, IPv6 addresses in brackets.
        token: bearer token every request must carry, except for public paths; None requires none.
        signed_in: whether a request carries a valid session cookie, which stands for the token at pages and at the
            pictures that they show.
    """

    def __init__(
        self,
        app: ASGIApp,
        allowed_hosts: Iterable[str],
        token: str | None,
        signed_in: Callable[[HTTPConnection], bool] = lambda _: False,
    ) -> None:
        self._app = app
        self._signed_in = signed_in
        self._hosts = frozenset(host_name(host) for host in allowed_hosts) - {None}
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = self._refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return problem(400, "host", "A request needs exactly one Host header.")
        if host_name(hosts[0]) not in self._hosts:
            words = "This server does not answer to that host name: add it to DEJAFAKE_ALLOWED_HOSTS if it should."
            return problem(421, "host", words)
        if _is_cross_site(scope, headers, hosts[0]):
            return problem(403, "cross-site", "Requests made by other sites' pages are refused.")
        if self._token is not None and not self._may_pass(scope, headers):
            words = "This server needs its token: send the header `Authorization: Bearer …`."
            return problem(401, "token", words, headers={"WWW-Authenticate": 'Bearer realm="dejafake"'})
        return None

    def _may_pass(self, scope: Scope, headers: Headers) -> bool:
        path = scope["path"]
        if path in _PUBLIC or path.startswith(_PUBLIC_PREFIX):
            return True
        shown = scope["method"] in ("GET", "HEAD") and _PICTURE.fullmatch(path) is not None
        if (shown or not path.startswith(_BEARER_ONLY)) and self._signed_in(HTTPConnection(scope)):
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), self._token or b"")


def _is_cross_site(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether a page of another site made a browser send this; following a link to a page is fine."""
    origin = headers.get("origin")
    if origin is not None and origin.lower().partition("://")[2] != host.lower():
        return True
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    followed_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not (followed_link and scope["method"] in ("GET", "HEAD"))
