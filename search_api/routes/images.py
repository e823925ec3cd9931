"""`/v1/images`: adding pictures, listing them, and everything about one of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from indexer.catalog.images import collections, history, images, labels, sightings
from indexer.catalog.records.facets import FacetCounts
from indexer.catalog.records.images import Image, ImageDetails
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.pages import Page
from indexer.errors import NotFoundError
from indexer.examine.large_picture import LONGEST_SIDE, large_picture
from indexer.vocabulary import LabelSource
from search_api.bodies.answers import LinkedMatch
from search_api.bodies.fields import Sha256
from search_api.bodies.forms import invalid, read_form, validated
from search_api.bodies.images import (
    FacetQuery,
    ImageChange,
    ImageHistory,
    ImageQuery,
    ImageSort,
    IngestFields,
    SightingReport,
    Sightings,
    SimilarImages,
    SimilarQuery,
    UploadReport,
)
from search_api.layers.errors import problem, responses
from search_api.layers.preconditions import NO_ANSWER, UNCONDITIONAL, IfMatch, Tagged
from search_api.openapi import NOT_MODIFIED, example, file_body, json_example
from search_api.service.service import Serving
from search_api.service.uploads import ingest
from search_api.service.versions import image_version

logger = logging.getLogger("dejafake.api")
router = APIRouter(prefix="/v1/images", tags=["images"])

REPEATED: Final = frozenset({"collections"})
ImageId = Annotated[Sha256, Path(description="SHA-256 of the image's bytes, 64 hex digits.")]
REASON_MAX: Final = 1_000


@router.post(
    "",
    summary="Add one picture or many",
    response_description="What became of each file, in their order.",
    responses={**example("upload"), **responses(400, 413, 415, 422, 503)},
    openapi_extra=file_body({"files": "The pictures."}, IngestFields, many=True),
)
async def add(request: Request, service: Serving) -> UploadReport:
    """Adds pictures to the catalogue, with the label, sighting and collections given in the form.

    A picture is identified by its bytes: sending it again only adds new labels, sightings and collections. A file
    that is not a picture is reported as `rejected` with the reason; it does not fail the others. URLs are recorded,
    never fetched.
    """
    async with read_form(request, service.heavy, max_files=service.settings.max_upload_files) as form:
        pictures = tuple(upload for upload in form.files if upload.field == "files")
        if not pictures or len(pictures) != len(form.files):
            raise invalid("body.files", "send the pictures, at least one, as files in the field `files`")
        said = validated(IngestFields, form.values(REPEATED))
        async with service.ingesting:
            if await request.is_disconnected():  # it ran out of time while it waited for its turn
                return UploadReport(added=0, known=0, rejected=0, files=())
            return await run_in_threadpool(ingest, service, pictures, said)


@router.get("", summary="List images", responses={**example("images"), **responses(422, 503)})
def list_images(service: Serving, query: Annotated[ImageQuery, Query()]) -> Page[Image]:
    """Images that meet all conditions given, newest first, or those with the most sightings first."""
    if query.sort is ImageSort.MOST_SIGHTED:
        return service.facets.most_sighted(query.image_filter(query.label), query.limit, query.cursor)
    with service.workspace.catalog.reading() as session:
        return images.page(session, query.image_filter(query.label), limit=query.limit, cursor=query.cursor)


@router.get("/facets", summary="Count images by what they are", responses={**example("facets"), **responses(422, 503)})
def facets(service: Serving, query: Annotated[FacetQuery, Query()]) -> FacetCounts:
    """How many images meet the conditions, and how many have each value of what one can filter by. Each facet is
    counted without its own condition, so it shows what choosing another value would give. `months` is by month of
    sighting.

    Counts are exact as of `counted_at`. In a large catalogue that has changed since, they are those of before until
    new ones have been made in the background; `current` is then false.
    """
    return service.facets.counts(query.image_filter(query.label), query.values)


@router.get(
    "/{sha256}",
    summary="Everything about an image",
    responses={**example("image"), **NOT_MODIFIED, **responses(404, 422)},
)
def get(service: Serving, sha256: ImageId, answer: Tagged = NO_ANSWER) -> ImageDetails:
    """The image with all its labels, sightings, collections, campaigns and detections, and what its file says of its
    own origin: each finding with what it is worth. That a file says nothing means nothing."""
    with service.workspace.catalog.reading() as session:
        details = _details(session, sha256)
    answer.tag(image_version(details))
    return details


@router.patch(
    "/{sha256}",
    summary="State a label, change its collections",
    responses={**example("change"), **responses(404, 412, 422, 503)},
    openapi_extra=json_example("change"),
)
def change(
    service: Serving,
    sha256: ImageId,
    body: ImageChange,
    condition: IfMatch = UNCONDITIONAL,
    answer: Tagged = NO_ANSWER,
) -> ImageDetails:
    """Adds a person's label to the image, and adds the image to or removes it from collections.

    Labels add up and are never overwritten; a person's wins over a feed's, a feed's over a model's.
    """
    with service.workspace.catalog.writing() as session:
        image_id = _id(session, sha256)
        condition.require(lambda: image_version(_details(session, sha256)))
        apply_change(session, [image_id], body)
        details = _details(session, sha256)
    answer.tag(image_version(details))
    return details


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change of images did: how many got the label, per collection the ids that were not in it before, and how
    many were taken out."""

    labelled: int
    collected: dict[str, tuple[int, ...]]
    uncollected: dict[str, int]


def apply_change(session: Session, image_ids: Sequence[int], body: ImageChange) -> Changed:
    """Does to images of the catalogue what a change says."""
    labelled = 0
    if body.label is not None:
        said = body.label
        statement = NewLabel(
            value=said.value,
            source_kind=LabelSource.HUMAN,
            source=said.stated_by,
            technique=said.technique,
            generator=said.generator,
            reason=said.reason,
        )
        labelled = sum(labels.state(session, image_id, [statement]) > 0 for image_id in image_ids)
    collected = {}
    for name in body.add_to_collections:
        collections.ensure(session, name)
        inside = collections.which_inside(session, name, image_ids)
        collected[name] = tuple(image_id for image_id in image_ids if image_id not in inside)
        collections.add_images(session, name, collected[name])
    uncollected = {name: collections.remove_images(session, name, image_ids) for name in body.remove_from_collections}
    return Changed(labelled, collected, uncollected)


@router.delete("/{sha256}", status_code=204, summary="Delete an image", responses=responses(404, 412, 422, 503))
def delete(
    service: Serving,
    sha256: ImageId,
    reason: Annotated[str, Query(max_length=REASON_MAX, description="Why; kept with the tombstone.")] = "",
    condition: IfMatch = UNCONDITIONAL,
) -> None:
    """Deletes the image, what is known of it and its files. A tombstone with its SHA-256 and the reason stays. So
    do the events of watches that found it, with its digest."""

    def check(session: Session) -> None:
        condition.require(lambda: image_version(_details(session, sha256)))

    removal = service.workspace.delete_image(sha256, reason, check)
    if removal is None:
        raise _missing(sha256)
    for other, why in removal.left.items():
        logger.warning("files of the deleted image %s are left: %s", other, why)


@router.get(
    "/{sha256}/thumbnail",
    summary="A small JPEG of an image",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 304: {"description": "Not Modified"}, **responses(404, 422)},
)
def thumbnail(request: Request, service: Serving, sha256: ImageId) -> Response:
    """A copy without metadata for people to look at."""
    with service.workspace.catalog.reading() as session:
        _id(session, sha256)
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    data = service.workspace.thumbnails.get(sha256)
    if data is None:
        return problem(404, "not-found", "There is no thumbnail of this image: ingest its file again to make one.")
    return Response(data, media_type="image/jpeg", headers=headers)


@router.get(
    "/{sha256}/picture",
    summary="A large JPEG of an image",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **NOT_MODIFIED, **responses(404, 422, 503)},
)
async def picture(request: Request, service: Serving, sha256: ImageId) -> Response:
    """The upright picture without metadata, at most 2048 pixels long, to look at closely. It is made from the original,
    which must be kept."""

    def check() -> None:
        with service.workspace.catalog.reading() as session:
            _id(session, sha256)

    await run_in_threadpool(check)
    headers = {"ETag": f'"{sha256}-{LONGEST_SIDE}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    with service.heavy.place():
        data = await service.labour(lambda: large_picture(service.workspace, sha256))
    return Response(data, media_type="image/jpeg", headers=headers)


@router.get(
    "/{sha256}/history",
    summary="What happened to an image",
    responses={**example("image-history"), **responses(404, 422)},
)
def list_events(service: Serving, sha256: ImageId) -> ImageHistory:
    """When it was added, who said what of it, where it was seen, and what was decided about its campaigns."""
    with service.workspace.catalog.reading() as session:
        return ImageHistory(sha256=sha256, events=history.events(session, _details(session, sha256)))


@router.get(
    "/{sha256}/similar",
    summary="The images nearest to an image",
    responses={**example("similar"), **responses(404, 422, 503)},
)
async def similar(service: Serving, sha256: ImageId, query: Annotated[SimilarQuery, Query()]) -> SimilarImages:
    """Searches with what is stored of the image; its original is not needed. The image itself is left out."""
    options, searcher = query.options(), service.workspace.searcher
    answer = await service.compute(lambda: searcher.by_sha256(sha256, options, leave_itself_out=True))
    service.metrics.searched(answer.milliseconds)
    return SimilarImages(
        sha256=sha256,
        matches=tuple(LinkedMatch.of(match) for match in answer.matches),
        index=answer.verdict.index,
    )


@router.get("/{sha256}/sightings", summary="Where an image was seen", responses=responses(404, 422))
def list_sightings(service: Serving, sha256: ImageId) -> Sightings:
    """All sightings of the image."""
    with service.workspace.catalog.reading() as session:
        return Sightings(added=0, sightings=_details(session, sha256).sightings)


@router.post(
    "/{sha256}/sightings",
    status_code=201,
    summary="Report where an image was seen",
    responses={**example("sighting", 201), **responses(404, 412, 422, 503)},
    openapi_extra=json_example("sighting"),
)
def add_sighting(
    service: Serving, sha256: ImageId, body: SightingReport, condition: IfMatch = UNCONDITIONAL
) -> Sightings:
    """Records a sighting; the same one is kept once. URLs are recorded, never fetched. If-Match takes the image's
    ETag."""
    with service.workspace.catalog.writing() as session:
        image_id = _id(session, sha256)
        condition.require(lambda: image_version(_details(session, sha256)))
        added = sightings.add(session, image_id, [body.record()])
        return Sightings(added=added, sightings=_details(session, sha256).sightings)


def _id(session: Session, sha256: str) -> int:
    ids = images.find_ids(session, [sha256])
    if sha256 not in ids:
        raise _missing(sha256)
    return ids[sha256]


def _details(session: Session, sha256: str) -> ImageDetails:
    details = images.get(session, sha256)
    if details is None:
        raise _missing(sha256)
    return details


def _missing(sha256: str) -> NotFoundError:
    return NotFoundError(f"no image {sha256} in this catalogue")
