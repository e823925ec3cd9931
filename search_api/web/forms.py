"""What a page's form posts: read within limits, and only with the token of this browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request
from starlette.exceptions import HTTPException

from search_api.bodies.forms import MULTIPART, Form, media_type, read_form, unsupported
from search_api.layers.admission import Lane
from search_api.layers.limits import MAX_FIELDS
from search_api.web.session import CSRF_FIELD, check_form_token

URLENCODED: Final = "application/x-www-form-urlencoded"


async def posted(request: Request) -> Form:
    """The fields of a form without files, empty ones left out. The field `csrf` is checked and removed.

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
    return _checked(request, Form((), fields))


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
