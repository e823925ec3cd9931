"""`/accounts`: which accounts shared the same pictures at nearly the same time, as a table and as a drawing."""

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.accounts import drawing_of
from indexer.vocabulary import LabelValue
from search_api.bodies.accounts import AccountQuery
from search_api.bodies.forms import validated
from search_api.routes.accounts import linked
from search_api.service.service import Serving
from search_api.web.language import N_
from search_api.web.page import NavEntry, render, see_other

router = APIRouter(prefix="/accounts", include_in_schema=False)
NAV: Final = NavEntry(50, N_("Accounts"), "/accounts")

_SHOWN: Final = 200
_EXPORTS: Final = {"gexf": "GEXF", "graphml": "GraphML", "coortweet": "CooRTweet (CSV)", "json": "JSON"}


@router.get("")
async def accounts(request: Request, service: Serving) -> Response:
    """The links, for the window and the conditions in the address."""
    asked = request.query_params.multi_items()
    given = {name: value for name, value in asked if value.strip() and name != "lang"}
    if any(not value.strip() for _, value in asked):  # a form sends empty fields: the address to share is without them
        return see_other(request, f"/accounts?{urlencode(given)}" if given else "/accounts")
    values: dict[str, object] = {**given}
    if "collections" in given:
        values["collections"] = (given["collections"],)
    query = validated(AccountQuery, values)
    with service.heavy.place():
        links = await linked(service, query.question)
        drawing = await service.labour(lambda: drawing_of(links))
    return render(
        request,
        "accounts.html",
        links=links,
        shown=links.links[:_SHOWN],
        drawing=drawing,
        query=query,
        given=given,
        labels=tuple(LabelValue),
        exports=[
            (words, f"/v1/accounts/links?{urlencode({**given, 'format': kind})}") for kind, words in _EXPORTS.items()
        ],
    )
