"""`/login` and `/logout`: the server's token and the name a person gives for what they decide."""

import logging
import unicodedata
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from search_api.web.forms import own_address, posted
from search_api.web.page import Toast, gettext_of, render, see_other
from search_api.web.session import PERSON_MAX, SESSION_COOKIE, SESSION_SECONDS, sessions_of, set_cookie

logger = logging.getLogger("dejafake.api")
router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(alias="next", max_length=2_000)]


@router.get("/login")
def login(request: Request, following: Next = "/") -> Response:
    """The form to sign in with, or to give another name."""
    return render(
        request,
        "login.html",
        following=own_address(following),
        signed_in=sessions_of(request).signed_in(request),
        name="",
        wrong=False,
    )


@router.post("/login")
async def sign_in(request: Request) -> Response:
    """Sets the session cookie, or says that the token is another."""
    form = await posted(request)
    sessions = sessions_of(request)
    following = own_address(_value(form.fields.get("next")))
    name = person_name(_value(form.fields.get("name")))
    keeps_session = sessions.signed_in(request) and sessions.needs_token and "token" not in form.fields
    if not keeps_session and not sessions.opens(_value(form.fields.get("token"))):
        logger.warning("a sign-in with a wrong token was refused")
        return render(request, "login.html", status=401, following=following, signed_in=False, name=name, wrong=True)
    response = see_other(request, following)
    set_cookie(request, response, SESSION_COOKIE, sessions.issue(name), SESSION_SECONDS, strict=True)
    return response


@router.post("/logout")
async def sign_out(request: Request) -> Response:
    """Ends the session of this browser."""
    await posted(request)
    words = gettext_of(request)("You are signed out.")
    response = see_other(request, "/login", Toast(words))
    response.delete_cookie(SESSION_COOKIE, path=request.scope.get("root_path", "") or "/")
    return response


def person_name(given: str) -> str:
    """A name as one line of visible text, bounded."""
    kept = "".join(letter for letter in given if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    return " ".join(kept.split())[:PERSON_MAX]


def _value(values: tuple[str, ...] | None) -> str:
    return values[0] if values else ""
