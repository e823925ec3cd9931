"""`/preferences`: colours, blurred pictures and language, kept in cookies of this browser."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from search_api.web.forms import own_address, posted
from search_api.web.language import COOKIE as LANGUAGE_COOKIE
from search_api.web.language import LANGUAGES
from search_api.web.page import BLUR_COOKIE, THEME_COOKIE, THEMES, see_other
from search_api.web.session import set_cookie

router = APIRouter(include_in_schema=False)

_YEAR: Final = 365 * 24 * 3_600


@router.post("/preferences")
async def choose(request: Request) -> Response:
    """Sets what the form says and goes back to the page it stood on."""
    fields = (await posted(request)).fields
    response = see_other(request, own_address(fields.get("next", ("/",))[0]))
    for name, cookie, allowed in (
        ("theme", THEME_COOKIE, THEMES),
        ("blur", BLUR_COOKIE, ("on", "off")),
        ("language", LANGUAGE_COOKIE, tuple(LANGUAGES)),
    ):
        value = fields.get(name, ("",))[0]
        if value in allowed:
            set_cookie(request, response, cookie, value, _YEAR)
    return response
