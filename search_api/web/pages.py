"""Two pages: search at `/`, interactive documentation at `/docs`; and the files they need, all from this machine."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from indexer import __version__
from indexer.verdict.limitations import LIMIT_LIKENESS, LIMIT_NO_MATCH, LIMIT_SIGNAL
from search_api.layers.security import PAGE_POLICY
from search_api.service.service import Serving

_TEMPLATES: Final = Environment(
    loader=PackageLoader("search_api.web"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
)
_SWAGGER_POLICY: Final = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI writes style attributes; scripts stay restricted to this server's files."""


def install(app: FastAPI) -> None:
    """Adds the pages and their files to `app`."""
    app.mount("/static/swagger", StaticFiles(directory=Path(str(files("fastapi_offline"))) / "static"))
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_api_route("/", _search_page, include_in_schema=False)
    app.add_api_route("/docs", _docs_page, include_in_schema=False)


def _search_page(request: Request, service: Serving) -> Response:
    spec = service.workspace.resolved.spec
    return _page(
        "search.html",
        PAGE_POLICY,
        version=__version__,
        detector=spec,
        protected=service.settings.api_token is not None,
        max_mib=service.settings.max_file_bytes / (1024 * 1024),
        limits=(LIMIT_NO_MATCH, LIMIT_LIKENESS, LIMIT_SIGNAL),
        base=request.scope.get("root_path", ""),
    )


def _docs_page(request: Request) -> Response:
    return _page("docs.html", _SWAGGER_POLICY, base=request.scope.get("root_path", ""))


def _page(name: str, policy: str, **values: object) -> Response:
    body = _TEMPLATES.get_template(name).render(**values)
    return HTMLResponse(body, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})
