"""`/find?q=…`: where the header's search field leads; each page says what of it is for itself."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from search_api.web.page import render, see_other

router = APIRouter(include_in_schema=False)


@router.get("/find")
def find(request: Request, q: Annotated[str, Query(max_length=500)] = "") -> Response:
    """Goes to the page that a text belongs to."""
    text = q.strip()
    for rule in request.app.state.search_rules if text else ():
        address = rule.address(text)
        if address is not None:
            return see_other(request, quote(address, safe="/?&=%+:,;@!~*'()-._"))
    return render(request, "find.html", status=404 if text else 200, search_text=text)
