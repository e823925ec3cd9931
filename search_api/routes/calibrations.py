"""`GET /v1/calibrations`: on what the detector's scores were calibrated."""

from typing import Annotated

from fastapi import APIRouter, Path

from indexer.calibration import CalibrationVersion
from indexer.catalog.detections import calibrations
from search_api.bodies.calibrations import Calibrations
from search_api.layers.errors import responses
from search_api.layers.preconditions import NO_ANSWER, Tagged
from search_api.openapi import NOT_MODIFIED, example
from search_api.service.service import Serving
from search_api.service.versions import version as version_of

router = APIRouter(prefix="/v1", tags=["detectors"])


@router.get("/calibrations", summary="List calibrations", responses={**example("calibrations"), **responses(503)})
def list_all(service: Serving) -> Calibrations:
    """The calibrations of the detector in use, newest first. Searches use the newest one that is not retired."""
    fingerprint = service.workspace.resolved.fingerprint
    with service.workspace.catalog.reading() as session:
        stored: tuple[CalibrationVersion, ...] = calibrations.list(session, fingerprint)
        in_use = calibrations.active_version(session, fingerprint)
    return Calibrations.of(fingerprint, in_use, stored)


@router.get(
    "/calibrations/{version}",
    summary="Show a calibration",
    responses={**example("calibration"), **NOT_MODIFIED, **responses(404, 422, 503)},
)
def show(
    service: Serving, version: Annotated[int, Path(ge=1, le=2**31 - 1)], answer: Tagged = NO_ANSWER
) -> CalibrationVersion:
    """One calibration of the detector in use: maps, thresholds with intervals, and results on held-out pictures."""
    with service.workspace.catalog.reading() as session:
        calibration = calibrations.get(session, service.workspace.resolved.fingerprint, version)
    answer.tag(version_of(calibration))
    return calibration
