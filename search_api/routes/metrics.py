"""`GET /metrics`: for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from search_api.service.service import Serving

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def scrape(service: Serving) -> Response:
    """Requests, latencies, steps of searches, sizes of index and catalogue."""
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
