"""`/healthz`: is the process alive? `/readyz`: can it answer searches?"""

from fastapi import APIRouter, Response

from indexer import __version__
from search_api.errors import problem, responses
from search_api.schemas import Alive, Ready
from search_api.service import DetectorState, Serving

router = APIRouter(tags=["operations"])

_INDEX_WORDS = {
    "missing": "the vector index is missing: it is being built; if that lasts, run `dejafake index build`",
    "stale": "the vector index is behind the catalogue: it is catching up; if that lasts, run `dejafake index build`",
    "damaged": "the vector index is damaged: it is being built anew; if that lasts, run `dejafake index build`",
    "other_detector": "the vector index is of another detector: run `dejafake index build`",
}
_DETECTOR_WORDS = {
    DetectorState.LOADING: "the detector is still loading",
    DetectorState.FAILED: "the detector cannot be used: see the server's log",
}


@router.get("/healthz", summary="Is the process alive?")
async def alive() -> Alive:
    """Answers at once, whatever else is going on."""
    return Alive(status="alive", version=__version__)


@router.get("/readyz", summary="Can it answer searches?", response_model=Ready, responses=responses(503))
def ready(service: Serving) -> Ready | Response:
    """200 when the detector is loaded and the index holds what the catalogue holds; else a problem that says why."""
    index = service.workspace.index.status()
    words = [_INDEX_WORDS[index.state]] if index.state in _INDEX_WORDS else []
    if index.state in ("missing", "damaged"):
        service.workspace.index.refresh()  # begins to build in the background: a server nobody searches gets ready too
    if service.detector_state is not DetectorState.READY:
        words.append(_DETECTOR_WORDS[service.detector_state])
    if words:
        return problem(503, "not-ready", f"Not ready: {'; '.join(words)}.", headers={"Retry-After": "5"})
    return Ready(status="ready", detector=service.workspace.resolved.spec.name, index=index)
