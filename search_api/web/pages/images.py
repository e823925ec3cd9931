"""`/images`: the images of the catalogue that meet the conditions in the address, newest first."""

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.catalog.images import collections
from indexer.vocabulary import Technique
from search_api.bodies.forms import validated
from search_api.bodies.images import ImageQuery
from search_api.routes import images as routes
from search_api.service.service import Serving
from search_api.web.language import N_
from search_api.web.page import NavEntry, render, see_other

router = APIRouter(include_in_schema=False)
NAV: Final = NavEntry(20, N_("Images"), "/images")

_A_PAGE: Final = 60
_COLLECTIONS: Final = 200
_CONDITIONS: Final = {
    "label": N_("Label"),
    "technique": N_("How it was made"),
    "generator": N_("Program or model"),
    "platform": N_("Platform"),
    "collections": N_("Collection"),
    "posted_from": N_("Seen from"),
    "posted_to": N_("Seen before"),
    "made_with": N_("Made with, by its file"),
}
"""The conditions that the form offers, in its order, with their words; the address takes all of `GET /v1/images`."""


@router.get("/images")
def all_images(request: Request, service: Serving) -> Response:
    """A page of images with the form of conditions; each condition that is set can be taken away alone."""
    asked = request.query_params.multi_items()
    given = {name: value for name, value in asked if value.strip() and name != "lang"}
    if any(not value.strip() for _, value in asked):  # a form sends empty fields: the address to share is without them
        return see_other(request, _address(given))
    cursor = given.pop("cursor", None)
    values: dict[str, object] = {**given, "limit": _A_PAGE, "cursor": cursor}
    if "collections" in given:
        values["collections"] = (given["collections"],)
    page = routes.list_images(service, validated(ImageQuery, values))
    with service.workspace.catalog.reading() as session:
        named = collections.page(session, _COLLECTIONS).items
    return render(
        request,
        "images.html",
        images=page.items,
        given=given,
        conditions=_CONDITIONS,
        without={name: _address({other: said for other, said in given.items() if other != name}) for name in given},
        first=_address(given) if cursor else "",
        following=_address({**given, "cursor": page.next_cursor}) if page.next_cursor else "",
        techniques=tuple(Technique),
        collections=[collection.name for collection in named],
    )


def _address(given: dict[str, str]) -> str:
    return f"/images?{urlencode(given)}" if given else "/images"
