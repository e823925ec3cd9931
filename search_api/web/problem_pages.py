"""Problems as pages: where a browser asks for a page, the problem document of any layer becomes HTML."""

import json
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.layers.errors import MEDIA_TYPE
from search_api.web.page import render, wants_part

_NO_PAGES: Final = ("/v1/", "/static/", "/metrics", "/healthz", "/readyz", "/openapi.json")
_KEPT: Final = ("retry-after", "allow", "connection")


def is_page_request(scope: Scope) -> bool:
    """Whether a browser asks for a page, or a script for a part of one."""
    path: str = scope["path"]
    if path.startswith(_NO_PAGES):
        return False
    headers = Headers(scope=scope)
    return "hx-request" in headers or "text/html" in headers.get("accept", "")


class ProblemPages:
    """ASGI layer that turns problem documents into pages, and a missing sign-in into a way to `/login`. Stands outside
    of all layers that answer with problems."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_page_request(scope):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def watched(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_problem(message):
                start = message
            elif start is None:
                await send(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await _page(Request(scope), start, json.loads(bytes(body)))(scope, receive, send)

        await self._app(scope, receive, watched)


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith(MEDIA_TYPE)


def _page(request: Request, start: Message, document: dict[str, Any]) -> Response:
    status: int = start["status"]
    root = request.scope.get("root_path", "")
    if status == 401:
        here = quote(f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path)
        login = f"{root}/login?next={here}" if request.method == "GET" and not wants_part(request) else f"{root}/login"
        if wants_part(request):
            return Response(status_code=401, headers={"HX-Redirect": login})
        return RedirectResponse(login, 303)
    template = "parts/problem_part.html" if wants_part(request) else "problem.html"
    response = render(request, template, status=status, problem=document)
    for name, value in Headers(raw=start["headers"]).items():
        if name in _KEPT:
            response.headers[name] = value
    return response
