"""`/`: have we seen these pictures before? 1 to 64 of them, or a ZIP archive; nothing is kept unless it is added."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from indexer.verdict.headlines import RELATION_WORDS
from indexer.vocabulary import ItemStatus, Technique
from search_api.bodies.fields import Sha256
from search_api.bodies.forms import invalid, validated
from search_api.bodies.images import IngestFields
from search_api.bodies.regions import RegionFields
from search_api.service.service import Serving
from search_api.service.uploads import ingest
from search_api.web.asking import MOST_PICTURES, Asked, ask_all, ask_known
from search_api.web.forms import posted_files
from search_api.web.language import N_
from search_api.web.page import NavEntry, Toast, gettext_of, render, see_other, wants_part

router = APIRouter(include_in_schema=False)
NAV: Final = NavEntry(10, N_("Ask"), "/")
_REPEATED: Final = frozenset({"collections"})


@router.get("/")
async def form(request: Request, service: Serving, image: Annotated[Sha256 | None, Query()] = None) -> Response:
    """The form; with `image`, the answer for an image of the catalogue."""
    asked = [] if image is None else [await ask_known(service, image)]
    return _page(request, service, asked, known=image or "")


@router.get("/ask")
@router.get("/ask/region")
def again(request: Request) -> Response:
    """Answers are not kept: their addresses, opened anew, lead to the form."""
    return see_other(request, "/")


@router.post("/ask")
async def ask(request: Request, service: Serving) -> Response:
    """The answers for the posted pictures: a page, or the cards alone for a script."""
    async with posted_files(request, service.searching, max_files=MOST_PICTURES) as posted:
        pictures = [upload for upload in posted.files if upload.field == "pictures" and (upload.size or upload.name)]
        if not pictures or (len(pictures) == 1 and not pictures[0].size):
            raise invalid("pictures", "choose at least one picture, or a ZIP archive of pictures")
        asked = await ask_all(request, service, pictures)
    return _page(request, service, asked)


@router.post("/ask/region")
async def ask_region(request: Request, service: Serving) -> Response:
    """Which known fakes contain the part of the picture that a box is drawn around."""
    async with posted_files(request, service.heavy, max_files=1) as posted:
        picture = posted.single("image")
        fields = validated(RegionFields, posted.values(frozenset()))
        box = (fields.left, fields.top, fields.right, fields.bottom)
        largest = service.settings.max_file_bytes
        answer = await service.labour(lambda: service.regions.by_bytes(picture.read(largest), box, fields.limit))
    template = "parts/region_answer.html" if wants_part(request) else "region.html"
    return render(request, template, answer=answer, name=picture.name)


@router.post("/ask/add")
async def add(request: Request, service: Serving) -> Response:
    """Adds a picture that was asked about to the catalogue, with what is said of it."""
    async with posted_files(request, service.heavy, max_files=1) as posted:
        picture = posted.single("image")
        said = validated(IngestFields, posted.values(_REPEATED))
        async with service.ingesting:
            report = await run_in_threadpool(ingest, service, [picture], said)
    (outcome,) = report.files
    gettext = gettext_of(request)
    if outcome.status is ItemStatus.REJECTED:
        raise invalid("image", outcome.message or "this is not a picture that is taken")
    if outcome.status is ItemStatus.ADDED:
        words = gettext("Added to the catalogue.")
    else:
        words = gettext("The catalogue has this file already; what you said was added to it.")
    if wants_part(request):
        return render(request, "parts/added.html", words=words, sha256=outcome.sha256)
    return see_other(request, f"/?image={outcome.sha256}", Toast(words))


def _page(request: Request, service: Serving, asked: list[Asked], known: str = "") -> Response:
    spec = service.workspace.resolved.spec
    return render(
        request,
        "parts/answers.html" if wants_part(request) else "ask.html",
        path="/",  # the header marks the form's page, whatever address answered
        asked=asked,
        known=known,
        most=MOST_PICTURES,
        max_bytes=service.settings.max_file_bytes,
        detector=spec,
        relation_words=RELATION_WORDS,
        techniques=[technique for technique in Technique if technique is not Technique.UNKNOWN],
        writable=not service.workspace.catalog.read_only,
    )
