"""`/`: have we seen this picture before?"""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from search_api.service.service import Serving
from search_api.web.language import N_
from search_api.web.page import NavEntry, render

router = APIRouter(include_in_schema=False)
NAV: Final = NavEntry(10, N_("Ask"), "/")


@router.get("/")
def ask(request: Request, service: Serving) -> Response:
    """The form to ask with."""
    return render(
        request,
        "search.html",
        detector=service.workspace.resolved.spec,
        protected=service.settings.api_token is not None,
        max_mib=service.settings.max_file_bytes / (1024 * 1024),
    )
