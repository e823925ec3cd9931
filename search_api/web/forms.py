"""What a page's form posts: read within limits, and only with the token of this browser.

A form may carry the version of what it changes (`VERSION_FIELD`, which `forms.csrf()` of the templates adds on pages
that are rendered with one). `form_condition` makes it the condition of the change.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request
from starlette.exceptions import HTTPException

from search_api.bodies.forms import MULTIPART, Form, media_type, read_form, unsupported
from search_api.layers.admission import Lane
from search_api.layers.limits import MAX_FIELDS
from search_api.layers.preconditions import UNCONDITIONAL, Precondition
from search_api.web.session import CSRF_FIELD, check_form_token

VERSION_FIELD: Final = "read_version"
URLENCODED: Final = "application/x-www-form-urlencoded"


async def posted(request: Request) -> Form:
    """The fields of a form without files, empty ones left out. The field `csrf` is checked and removed; so is the
    version that the form was rendered with, for `form_condition`.

    Raises:
        HTTPException: 403 without this browser's token, 413 too many fields, 415 another content type.
    """
    if media_type(request) != URLENCODED:
        raise unsupported(URLENCODED)
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=MAX_FIELDS * 20)
    except ValueError:
        raise HTTPException(400, "The form cannot be read: reload the page and send it again.") from None
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if text := value.replace("\x00", "").strip():
            fields[name] = (*fields.get(name, ()), text)
    form = _checked(request, Form((), fields))
    tags = form.fields.get(VERSION_FIELD)
    kept = Form((), {name: values for name, values in form.fields.items() if name != VERSION_FIELD})
    request.state.form = kept
    request.state.condition = UNCONDITIONAL if tags is None else Precondition(tags[:1], only_stated=True)
    return kept


def form_condition(request: Request) -> Precondition:
    """The condition of the form that `posted` read: that nobody stated anything since it was rendered."""
    condition: Precondition = getattr(request.state, "condition", UNCONDITIONAL)
    return condition


def form_of(request: Request) -> Form | None:
    """The form that `posted` read of this request, if it did."""
    return getattr(request.state, "form", None)


@asynccontextmanager
async def posted_files(request: Request, lane: Lane, *, max_files: int) -> AsyncIterator[Form]:
    """The fields and files of a form with files; the files are closed at the end.

    Raises:
        HTTPException: as `posted` and `read_form` do.
    """
    if media_type(request) != MULTIPART:
        raise unsupported(MULTIPART)
    async with read_form(request, lane, max_files=max_files) as form:
        yield _checked(request, form)


def _checked(request: Request, form: Form) -> Form:
    token = form.fields.get(CSRF_FIELD, ("",))
    check_form_token(request, token[0])
    return Form(form.files, {name: values for name, values in form.fields.items() if name != CSRF_FIELD})


def own_address(given: str | None, otherwise: str = "/") -> str:
    """An address of this server to go to after a form, from what the form or the address said: path and query only."""
    if not given or not given.startswith("/") or given.startswith(("//", "/\\")) or len(given) > 2_000:
        return otherwise
    if any(ord(letter) < 33 or letter == "\\" for letter in given):
        return otherwise
    try:
        parts = urlsplit(given)
    except ValueError:
        return otherwise
    return otherwise if parts.scheme or parts.netloc else given
