"""`GET /v1/detectors` and `GET /v1/descriptors`: what turns pictures into embeddings and scores."""

from fastapi import APIRouter

from indexer.catalog.copies import descriptors
from indexer.catalog.detections import detectors
from indexer.catalog.records.copies import DescriptorEntry
from indexer.catalog.records.detections import DetectorEntry
from indexer.copies.descriptor import list_descriptors
from indexer.detector import DetectorListing, list_detectors
from search_api.bodies.detectors import Descriptors, Detectors
from search_api.layers.errors import responses
from search_api.openapi import example
from search_api.service.service import Serving

router = APIRouter(prefix="/v1", tags=["detectors"])


@router.get("/detectors", summary="List detectors", responses={**example("detectors"), **responses(503)})
def list_all(service: Serving) -> Detectors:
    """The detectors this server knows, which one it uses, and those that embedded images of this catalogue."""
    with service.workspace.catalog.reading() as session:
        entries: tuple[DetectorEntry, ...] = detectors.list(session)
    listings: tuple[DetectorListing, ...] = list_detectors(service.settings)
    return Detectors(in_use=service.workspace.resolved.fingerprint, known=listings, in_catalogue=entries)


@router.get("/descriptors", summary="List copy descriptors", responses={**example("descriptors"), **responses(503)})
def list_all_descriptors(service: Serving) -> Descriptors:
    """The copy descriptors this server knows, which find altered copies; which one it uses, and those that have
    embeddings in this catalogue."""
    workspace = service.workspace
    with workspace.catalog.reading() as session:
        entries: tuple[DescriptorEntry, ...] = descriptors.list(session)
    usable = None if workspace.descriptor_problem else workspace.resolved_descriptor
    return Descriptors(
        in_use=None if usable is None else usable.fingerprint,
        problem=workspace.descriptor_problem,
        known=list_descriptors(service.settings),
        in_catalogue=entries,
    )
