"""`GET /v1/detectors`: what turns pictures into embeddings and scores."""

from fastapi import APIRouter

from indexer.catalog import detectors
from indexer.catalog.records import DetectorEntry
from indexer.detector import DetectorListing, list_detectors
from search_api.errors import responses
from search_api.openapi import example
from search_api.schemas import Detectors
from search_api.service import Serving

router = APIRouter(prefix="/v1", tags=["detectors"])


@router.get("/detectors", summary="List detectors", responses={**example("detectors"), **responses(503)})
def list_all(service: Serving) -> Detectors:
    """The detectors this server knows, which one it uses, and those that embedded images of this catalogue."""
    with service.workspace.catalog.reading() as session:
        entries: tuple[DetectorEntry, ...] = detectors.list(session)
    listings: tuple[DetectorListing, ...] = list_detectors(service.settings)
    return Detectors(in_use=service.workspace.resolved.fingerprint, known=listings, in_catalogue=entries)
