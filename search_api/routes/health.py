"""`/healthz`: is the process alive? `/readyz`: can it answer searches? `/v1/status`: how is it doing?"""

from fastapi import APIRouter, Response

from indexer import __version__
from search_api.bodies.health import Alive, Ready, Status
from search_api.layers.errors import problem, responses
from search_api.openapi import example
from search_api.service.service import DetectorState, Serving
from search_api.service.status import status_of

router = APIRouter(tags=["operations"])

_INDEX_WORDS = {
    "opening": "the vector index is being opened",
    "missing": "the vector index is missing: it is being built; if that lasts, run `dejafake index build`",
    "stale": "the vector index is behind the catalogue: it is catching up; if that lasts, run `dejafake index build`",
    "damaged": "the vector index is damaged: it is being rebuilt; if that lasts, run `dejafake index build`",
    "other_detector": "the vector index is of another detector: run `dejafake index build`",
}
_DETECTOR_WORDS = {
    DetectorState.LOADING: "the detector is still loading",
    DetectorState.FAILED: "the detector cannot be used: see the server's log",
}


@router.get("/healthz", summary="Is the process alive?", response_model=Alive, responses=responses(503))
async def alive(service: Serving) -> Alive | Response:
    """Answers at once, whatever else is going on. 503 when a thread of the server has ended or the detector is
    stuck in a pass: only a restart helps."""
    if words := service.liveness.troubles():
        return problem(503, "not-alive", f"Restart this process: {'; '.join(words)}.")
    return Alive(status="alive", version=__version__)


@router.get("/readyz", summary="Can it answer searches?", response_model=Ready, responses=responses(503))
def ready(service: Serving) -> Ready | Response:
    """200 when the detector is loaded and the index is open and sound; else a problem that says why. It counts nothing
    and waits for no search: what is missing is begun in the background, so a server nobody searches gets ready too."""
    index = service.workspace.index.glance()
    words = [_INDEX_WORDS[index.state]] if index.state in _INDEX_WORDS else []
    detector = service.detector_state
    if detector is not DetectorState.READY:
        words.append(_DETECTOR_WORDS[detector])
        service.retry_detector()
    if words:
        return problem(503, "not-ready", f"Not ready: {'; '.join(words)}.", headers={"Retry-After": "5"})
    return Ready(status="ready", detector=service.workspace.resolved.spec.name, index=index)


@router.get("/v1/status", summary="How is the server doing?", responses={**example("status"), **responses(503)})
def status(service: Serving) -> Status:
    """Index, detector, calibration, queues, background threads and disk, and what is not as it should be, the gravest
    first. It counts little and waits for no search. Where several processes serve, what is said of queues and threads
    is that of the one that answers."""
    return status_of(service)
