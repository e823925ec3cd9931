"""`/status`: how the server is doing, and what to do about what is not as it should be."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from search_api.routes import health
from search_api.service.service import Serving
from search_api.web.language import N_
from search_api.web.page import render

router = APIRouter(include_in_schema=False)

PROBLEMS: Final = (
    N_("The index is being opened. Wait a moment."),
    N_(
        "The index is missing and is being built; searches are correct and slower until then. If that lasts, run "
        "dejafake index build."
    ),
    N_("The index is behind the catalogue and is catching up. If that lasts, run dejafake index build."),
    N_(
        "The index is damaged and is being rebuilt; searches are correct and slower until then. If that lasts, run "
        "dejafake index build."
    ),
    N_("The index is of another detector. Run dejafake index build."),
    N_("Work on the index failed and is tried again."),
    N_("The detector is being loaded. Wait a moment."),
    N_("The detector cannot be used: the server's log says why."),
    N_("The detector is not trained: its scores mean nothing."),
    N_("No copy descriptor is in use: altered copies may be missed."),
    N_("Scores are not calibrated. Run dejafake calibrate with labelled pictures of yours."),
    N_("Restart the server: a part of it no longer works."),
    N_("The queue of jobs is full: new jobs are refused until rows are answered."),
    N_("The disk of the home folder is nearly full. Make room."),
    N_("The system does not say how much room the disk of the home folder has."),
    N_("The catalogue cannot be written: searches are answered, changes are refused."),
)
"""The words of `search_api.service.status`, marked for translation."""
STATES: Final = (
    N_("opening"),
    N_("missing"),
    N_("stale"),
    N_("ready"),
    N_("damaged"),
    N_("other detector"),
    N_("loading"),
    N_("failed"),
)
"""The states of indexes and of the detector, as the filter `words` writes them."""


@router.get("/status")
def status(request: Request, service: Serving) -> Response:
    """The same as `GET /v1/status`, for people."""
    return render(request, "status.html", server=health.status(service))
