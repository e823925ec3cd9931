"""`/v1/images/changes` and `/v1/images/export`: one thing done to many images at once."""

from io import StringIO
from typing import Any, Final

from fastapi import APIRouter, Response

from indexer.catalog.images import images
from indexer.errors import NotFoundError
from indexer.exchange.export import export_images
from search_api.bodies.bulk import ExportFormat, ImagesChange, ImagesChanged, ImagesExport
from search_api.layers.errors import responses
from search_api.openapi import example, json_example
from search_api.routes.images import apply_change
from search_api.service.service import Serving

router = APIRouter(prefix="/v1/images", tags=["images"])


_KINDS: Final = {
    ExportFormat.CSV: ("text/csv; charset=utf-8", "csv"),
    ExportFormat.JSON_LINES: ("application/jsonl; charset=utf-8", "jsonl"),
    ExportFormat.STIX: ("application/stix+json;version=2.1", "stix.json"),
    ExportFormat.MISP: ("application/json", "misp.json"),
    ExportFormat.MEDIA_REVIEW: ("application/ld+json", "mediareview.json"),
}


@router.post(
    "/changes",
    summary="State a label of many images, change their collections",
    responses={**example("changes"), **responses(404, 422, 503)},
    openapi_extra=json_example("changes"),
)
def change(service: Serving, body: ImagesChange) -> ImagesChanged:
    """Does to each of the images what `PATCH /v1/images/{sha256}` does to one: to all, or, if one is not in the
    catalogue, to none."""
    with service.workspace.catalog.writing() as session:
        ids = images.find_ids(session, body.images)
        _all_here(body.images, ids)
        changed = apply_change(session, [ids[sha256] for sha256 in dict.fromkeys(body.images)], body)
    names = {image_id: sha256 for sha256, image_id in ids.items()}
    collected = {name: tuple(names[image_id] for image_id in added) for name, added in changed.collected.items()}
    return ImagesChanged(labelled=changed.labelled, collected=collected, uncollected=changed.uncollected)


@router.post(
    "/export",
    summary="Export images as a file",
    response_class=Response,
    responses={
        200: {"content": {kind.partition(";")[0]: {} for kind, _ in _KINDS.values()}, "description": "The file."},
        **responses(404, 422, 503),
    },
    openapi_extra=json_example("export"),
)
def export(service: Serving, body: ImagesExport) -> Response:
    """The images in a file as `dejafake export` writes it: `csv` one row an image, safe to open in a spreadsheet;
    `jsonl` everything that is known; `stix`, `misp` and `mediareview` for other people's tools. Sorted by SHA-256."""
    catalog = service.workspace.catalog
    with catalog.reading() as session:
        ids = images.find_ids(session, body.images)
    _all_here(body.images, ids)
    file = StringIO(newline="")
    export_images(catalog, sorted(ids), body.format.value, file)
    kind, ending = _KINDS[body.format]
    headers = {"Content-Disposition": f'attachment; filename="images.{ending}"'}
    return Response(file.getvalue(), media_type=kind, headers=headers)


def _all_here(wanted: tuple[str, ...], ids: dict[str, Any]) -> None:
    missing = [sha256 for sha256 in wanted if sha256 not in ids]
    if missing:
        raise NotFoundError(f"{len(missing)} of these images are not in this catalogue, first {missing[0]}")
