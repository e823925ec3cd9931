"""`/v1/accounts/links`: which accounts shared the same pictures at nearly the same time."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from indexer.accounts import (
    MEDIA_TYPES,
    AccountLinks,
    AccountQuestion,
    GraphFormat,
    account_links,
    coortweet,
    dated_shares,
    exported,
)
from search_api.bodies.accounts import AccountQuery
from search_api.layers.errors import responses
from search_api.openapi import example
from search_api.service.service import Service, Serving

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])

Format = Literal["json", "gexf", "graphml", "coortweet"]


class LinksQuery(AccountQuery):
    """The same, and in what form it is answered."""

    format: Format = "json"


@router.get(
    "/links",
    summary="Accounts that shared the same pictures",
    response_model=AccountLinks,
    responses={
        200: {
            "content": {
                **example("account-links")[200]["content"],
                **{media: {} for media in ("application/gexf+xml", "application/graphml+xml", "text/csv")},
            }
        },
        **responses(422, 503),
    },
)
async def links(service: Serving, query: Annotated[LinksQuery, Query()]) -> AccountLinks | Response:
    """Pairs of accounts that shared the same pictures within the window more often than if it were random who made
    which post, corrected for the number of pairs. That is no proof of coordination.

    Copies of one picture count as one. `format`: `gexf` and `graphml` for graph programs, `coortweet` for every post in
    the four columns that CooRTweet reads.
    """
    with service.heavy.place():
        if query.format == "json":
            return await linked(service, query.question)
        kind = GraphFormat(query.format)
        body = await service.labour(lambda: _file(service, query.question, kind))
    name = f'attachment; filename="accounts.{"csv" if kind is GraphFormat.COORTWEET else kind}"'
    return Response(body, media_type=MEDIA_TYPES[kind], headers={"Content-Disposition": name})


async def linked(service: Service, question: AccountQuestion) -> AccountLinks:
    """The links, in a thread of heavy work."""
    return await service.labour(lambda: account_links(service.workspace.catalog, service.settings, question))


def _file(service: Service, question: AccountQuestion, kind: GraphFormat) -> bytes:
    catalog, settings = service.workspace.catalog, service.settings
    if kind is GraphFormat.COORTWEET:
        dated, shares = dated_shares(catalog, settings, question)
        return coortweet(shares, dated)
    return exported(account_links(catalog, settings, question), kind)
