"""`/compare`: two pictures side by side and laid over each other, known or not. Nothing is kept."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from indexer.verdict.headlines import RELATION_WORDS
from search_api.bodies.compare import CompareFields
from search_api.bodies.fields import Sha256
from search_api.bodies.forms import Form, invalid, validated
from search_api.bodies.images import SimilarQuery
from search_api.routes import images as routes
from search_api.service.service import Service, Serving
from search_api.web.comparing import REGIONS, Compared, compared
from search_api.web.forms import posted_files
from search_api.web.page import render, see_other

router = APIRouter(include_in_schema=False)

_NEAREST: Final = 24
"""How many of the nearest known images of A can be gone through."""


@router.get("/compare")
async def compare(
    request: Request,
    service: Serving,
    a: Annotated[Sha256 | None, Query()] = None,
    b: Annotated[Sha256 | None, Query()] = None,
) -> Response:
    """Two images of the catalogue; the form where one of them is not named."""
    if a is None or b is None:
        return render(
            request, "compare.html", compared=None, a=a or "", b=b or "", most=service.settings.max_file_bytes
        )
    with service.heavy.place():
        shown = await service.labour(lambda: compared(service.workspace, a, b))
    return _page(request, shown, await _others(service, a, b))


@router.post("/compare")
async def compare_files(request: Request, service: Serving) -> Response:
    """Two pictures of which at least one is sent; two known ones have an address of their own."""
    async with posted_files(request, service.heavy, max_files=2) as form:
        a, b = _side(service, form, "a"), _side(service, form, "b")
        if isinstance(a, str) and isinstance(b, str):
            return see_other(request, f"/compare?a={a}&b={b}")
        shown = await service.labour(lambda: compared(service.workspace, _read(a), _read(b)))
    return _page(request, shown, ())


class _Upload:
    """A posted file and how much of it is read."""

    def __init__(self, service: Service, form: Form, field: str) -> None:
        self._upload, self._most = form.single(field), service.settings.max_file_bytes

    def read(self) -> bytes:
        return self._upload.read(self._most)


def _side(service: Service, form: Form, name: str) -> "_Upload | str":
    """The file of a side, or the SHA-256 of an image of the catalogue."""
    field = f"{name}_file"
    if any(upload.field == field and upload.size for upload in form.files):
        return _Upload(service, form, field)
    given = form.fields.get(name, ("",))[0]
    if not given:
        raise invalid(name, "choose a file, or give the SHA-256 of a known image")
    return validated(CompareFields, {"image_id": given.lower()}).image_id or ""


def _read(side: "_Upload | str") -> bytes | str:
    return side if isinstance(side, str) else side.read()


async def _others(service: Service, a: str, b: str) -> tuple[str, ...]:
    """The known images nearest to A, in their order; B is among them."""
    nearest = await routes.similar(service, a, SimilarQuery(limit=_NEAREST))
    names = [match.image.image.sha256 for match in nearest.matches]
    return tuple(names if b in names or a == b else [b, *names])


def _page(request: Request, shown: Compared, others: tuple[str, ...]) -> Response:
    a, b = shown.a.facts.sha256 or "", shown.b.facts.sha256 or ""
    rank = others.index(b) if b in others else None
    return render(
        request,
        "compare.html",
        path="/compare",
        compared=shown,
        regions=REGIONS,
        a=a,
        b=b,
        rank=rank,
        of=len(others),
        before=others[rank - 1] if rank else None,
        after=others[rank + 1] if rank is not None and rank + 1 < len(others) else None,
        relation_words=RELATION_WORDS,
    )
