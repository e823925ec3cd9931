"""`/images`: the catalogue. Images that meet the conditions in the address, facets, and the months of sightings."""

from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from indexer.catalog.images import collections
from indexer.catalog.records.facets import FacetCounts
from indexer.catalog.records.images import Image
from indexer.vocabulary import Technique
from search_api.bodies.bulk import ExportFormat
from search_api.bodies.fields import Body, Sha256
from search_api.bodies.forms import invalid, validated
from search_api.bodies.images import FacetQuery, ImageQuery, SimilarQuery
from search_api.routes import images as routes
from search_api.service.service import Service, Serving
from search_api.web.cataloguing import CONDITIONS, VIEW, WORDS, address, bars, shown_facets
from search_api.web.language import N_
from search_api.web.page import NavEntry, render, see_other

router = APIRouter(include_in_schema=False)
NAV: Final = NavEntry(20, N_("Images"), "/images")

_A_PAGE: Final = 60
_COLLECTIONS: Final = 200
_VALUES: Final = 8
_SORTS: Final = {
    "newest": N_("newest first"),
    "most_sighted": N_("most sighted first"),
    "alike": N_("most alike to an image"),
}
_DENSITIES: Final = {"large": N_("large"), "normal": N_("normal"), "dense": N_("dense")}
_FORMATS: Final = {"csv": "CSV", "jsonl": "JSON Lines", "stix": "STIX", "misp": "MISP", "mediareview": "MediaReview"}


class _View(Body):
    """How the images are shown."""

    sort: Literal["newest", "most_sighted", "alike"] = "newest"
    like: Sha256 | None = Field(default=None)
    density: Literal["large", "normal", "dense"] = "normal"


@router.get("/images")
async def all_images(request: Request, service: Serving) -> Response:
    """A page of images with facets and the form of conditions; each condition that is set can be taken away alone."""
    asked = request.query_params.multi_items()
    given = {name: value for name, value in asked if value.strip() and name != "lang"}
    if any(not value.strip() for _, value in asked):  # a form sends empty fields: the address to share is without them
        return see_other(request, address(given))
    cursor = given.pop("cursor", None)
    view = validated(_View, {name: value for name, value in given.items() if name in VIEW})
    conditions = {name: value for name, value in given.items() if name not in VIEW}
    if view.sort == "alike":
        listed, following = await _alike(service, view, conditions), None
    else:
        values = {**_values(conditions), "sort": view.sort, "limit": _A_PAGE, "cursor": cursor}
        page = await run_in_threadpool(routes.list_images, service, validated(ImageQuery, values))
        listed, following = page.items, page.next_cursor
    query = validated(FacetQuery, {**_values(conditions), "values": _VALUES})
    counts = await run_in_threadpool(routes.facets, service, query)
    return await run_in_threadpool(_rendered, request, service, view, given, listed, counts, cursor, following)


def _rendered(
    request: Request,
    service: Service,
    view: _View,
    given: dict[str, str],
    listed: tuple[Image, ...],
    counts: FacetCounts,
    cursor: str | None,
    following: str | None,
) -> Response:
    with service.workspace.catalog.reading() as session:
        named = collections.page(session, _COLLECTIONS).items
    months = bars(counts.months, given)
    return render(
        request,
        "images.html",
        images=listed,
        counts=counts,
        facets=list(shown_facets(counts, given)),
        bars=months,
        highest=max((bar.images for bar in months), default=0),
        view=view,
        sorts=_SORTS,
        densities={name: (words, _with(given, "density", name)) for name, words in _DENSITIES.items()},
        given=given,
        set_conditions={name: value for name, value in given.items() if name not in VIEW},
        conditions=CONDITIONS,
        value_words=WORDS,
        without={name: _with(given, name, None) for name in given},
        plain=address({name: value for name, value in given.items() if name in VIEW}),
        alike=_with({name: value for name, value in given.items() if name != "like"}, "sort", "alike"),
        first=address(given) if cursor else "",
        following=address({**given, "cursor": following}) if following else "",
        techniques=tuple(Technique),
        collections=[collection.name for collection in named],
        formats=tuple(ExportFormat),
        format_names=_FORMATS,
        writable=not service.workspace.catalog.read_only,
    )


async def _alike(service: Service, view: _View, conditions: dict[str, str]) -> tuple[Image, ...]:
    if view.like is None:
        raise invalid("query.like", "give the SHA-256 of the image that the others are to be like")
    query = validated(SimilarQuery, {"label": "any", **_values(conditions), "limit": _A_PAGE})
    answer = await routes.similar(service, view.like, query)
    return tuple(match.image.image for match in answer.matches)


def _values(conditions: dict[str, str]) -> dict[str, Any]:
    """The conditions of the address as a body takes them."""
    values: dict[str, Any] = dict(conditions)
    if "collections" in values:
        values["collections"] = (values["collections"],)
    return values


def _with(given: dict[str, str], name: str, value: str | None) -> str:
    other = {key: said for key, said in given.items() if key != name}
    return address(other if value is None else {**other, name: value})
