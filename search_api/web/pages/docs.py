"""`/docs`: the interactive documentation of the HTTP API, from this server's files alone."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from search_api.layers.security import PAGE_POLICY
from search_api.web.page import page_headers, render

router = APIRouter(include_in_schema=False)

_SWAGGER_POLICY: Final = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI writes style attributes; scripts stay restricted to this server's files."""


@router.get("/docs")
def docs(request: Request) -> Response:
    """The documentation of every operation, to try them out."""
    response = render(request, "docs.html")
    response.headers.update(page_headers(_SWAGGER_POLICY))
    return response
