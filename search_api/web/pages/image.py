"""`/images/{sha256}`: everything the catalogue knows about one image, and what a person adds to it."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from indexer.verdict.match_words import match_words
from indexer.vocabulary import Technique
from search_api.bodies.fields import Sha256
from search_api.bodies.forms import validated
from search_api.bodies.images import ImageChange, SightingReport, SimilarQuery
from search_api.routes import images as routes
from search_api.service.service import Serving
from search_api.service.versions import image_version
from search_api.web.forms import form_condition, posted
from search_api.web.language import N_
from search_api.web.page import SearchRule, Toast, gettext_of, render, see_other, wants_part
from search_api.web.session import person_of

router = APIRouter(prefix="/images", include_in_schema=False)

ImageId = Annotated[Sha256, Path()]
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_NEAREST: Final = 12


def _address(text: str) -> str | None:
    return f"/images/{text.lower()}" if _DIGEST.fullmatch(text) else None


SEARCH: Final = SearchRule(10, _address)


@router.get("/{sha256}")
def image(request: Request, service: Serving, sha256: ImageId) -> Response:
    """The image with its statements, sightings, provenance and campaigns, and the forms that add to them."""
    details = routes.get(service, sha256)
    return render(
        request,
        "image.html",
        details=details,
        read_version=image_version(details).tag,
        techniques=tuple(Technique),
        events=routes.list_events(service, sha256).events,
        original_kept=service.workspace.originals.path(sha256).is_file(),
        address=str(request.url.replace(query="", fragment="")),
        writable=not service.workspace.catalog.read_only,
    )


@router.get("/{sha256}/similar")
async def similar(request: Request, service: Serving, sha256: ImageId) -> Response:
    """The images nearest to it: a part of its page for htmx, a page of its own otherwise."""
    answer = await routes.similar(service, sha256, SimilarQuery(limit=_NEAREST))
    template = "parts/similar_images.html" if wants_part(request) else "similar.html"
    matches = tuple(linked.match() for linked in answer.matches)
    return await run_in_threadpool(render, request, template, sha256=sha256, matches=matches, match_words=match_words)


@router.post("/{sha256}/labels")
async def state_label(request: Request, service: Serving, sha256: ImageId) -> Response:
    """Adds what a person says the image is."""
    fields = (await posted(request)).values(frozenset())
    person = person_of(request)
    if person is not None:
        fields.setdefault("stated_by", person.name)
    change = validated(ImageChange, {"label": fields})
    await run_in_threadpool(routes.change, service, sha256, change, form_condition(request))
    return see_other(request, f"/images/{sha256}", Toast(gettext_of(request)(N_("The label was added."))))


@router.post("/{sha256}/sightings")
async def add_sighting(request: Request, service: Serving, sha256: ImageId) -> Response:
    """Adds where the image was seen."""
    report = validated(SightingReport, (await posted(request)).values(frozenset()))
    answer = await run_in_threadpool(routes.add_sighting, service, sha256, report, form_condition(request))
    said = N_("The sighting was added.") if answer.added else N_("This sighting was known already.")
    return see_other(request, f"/images/{sha256}#sightings", Toast(gettext_of(request)(said)))


@router.post("/{sha256}/collections")
async def change_collections(request: Request, service: Serving, sha256: ImageId) -> Response:
    """Puts the image into a collection, or takes it out of one."""
    fields = (await posted(request)).values(frozenset())
    change = validated(ImageChange, {field: (name,) for field, name in fields.items()})
    await run_in_threadpool(routes.change, service, sha256, change, form_condition(request))
    return see_other(request, f"/images/{sha256}", Toast(gettext_of(request)(N_("The collections were changed."))))


@router.get("/{sha256}/delete")
def confirm_deletion(request: Request, service: Serving, sha256: ImageId) -> Response:
    """Asks whether the image is to be deleted, and why."""
    details = routes.get(service, sha256)
    return render(request, "delete_image.html", details=details, read_version=image_version(details).tag)


@router.post("/{sha256}/delete")
async def delete(request: Request, service: Serving, sha256: ImageId) -> Response:
    """Deletes the image, what is known of it and its files."""
    reason = (await posted(request)).fields.get("reason", ("",))[0][: routes.REASON_MAX]
    await run_in_threadpool(routes.delete, service, sha256, reason, form_condition(request))
    return see_other(request, "/", Toast(gettext_of(request)(N_("The image was deleted."))))
