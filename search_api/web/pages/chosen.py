"""`/images/chosen/…`: what the page of images does to the ones that were chosen there."""

import json
import re
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from indexer.catalog.images import images
from search_api.bodies.bulk import IMAGES_MAX, ImagesChange, ImagesExport
from search_api.bodies.forms import Form, invalid, validated
from search_api.routes import bulk
from search_api.service.service import Service, Serving
from search_api.web.forms import own_address, posted
from search_api.web.language import N_
from search_api.web.page import Toast, gettext_of, page_headers, see_other
from search_api.web.session import person_of

router = APIRouter(prefix="/images/chosen", include_in_schema=False)

_START: Final = 12
"""Hex digits by which the message that takes something back names an image: it travels in a cookie."""
_STARTS: Final = re.compile(rf"[0-9a-f]{{{_START}}}")
_UNDO_MAX: Final = 1_400
"""Longest message with what takes it back, as JSON, in characters: it travels in a cookie."""
_LABEL_FIELDS: Final = ("value", "technique", "generator", "reason", "stated_by")


@router.post("/label")
async def label(request: Request, service: Serving) -> Response:
    """Adds what a person says all of them are. Labels add up and are never taken away; another one corrects them."""
    form = await posted(request)
    fields = {name: form.fields[name][0] for name in _LABEL_FIELDS if name in form.fields}
    person = person_of(request)
    if person is not None:
        fields.setdefault("stated_by", person.name)
    if "value" not in fields:
        raise invalid("body.value", "say what the chosen images are: fake, authentic, or that it cannot be told")
    if "stated_by" not in fields:
        raise invalid("body.stated_by", "say who states it: fill in the name")
    change = validated(ImagesChange, {"images": _images(form), "label": fields})
    done = await run_in_threadpool(bulk.change, service, change)
    words = gettext_of(request)(N_("Labels added: {count}. Labels add up; to correct one, state another."))
    return see_other(request, _following(form), Toast(words.format(count=done.labelled)))


@router.post("/collect")
async def collect(request: Request, service: Serving) -> Response:
    """Puts them into a collection; the message on the next page takes out those that were not in it before."""
    form = await posted(request)
    name = _collection(form)
    change = validated(ImagesChange, {"images": _images(form), "add_to_collections": (name,)})
    done = await run_in_threadpool(bulk.change, service, change)
    added = next(iter(done.collected.values()))
    words = gettext_of(request)(N_("Images put into “{name}”: {count}.")).format(name=name, count=len(added))
    following = _following(form)
    undo = {"collection": name, "starts": "".join(sha256[:_START] for sha256 in added), "next": following}
    fits = added and len(json.dumps([words, undo])) < _UNDO_MAX
    return see_other(request, following, Toast(words, "/images/chosen/uncollect", undo) if fits else Toast(words))


@router.post("/uncollect")
async def uncollect(request: Request, service: Serving) -> Response:
    """Takes them out of a collection again."""
    form = await posted(request)
    starts = _STARTS.findall(form.fields.get("starts", ("",))[0][: _START * IMAGES_MAX])
    digests = await run_in_threadpool(_with_starts, service, starts)
    words = N_("Images taken out of “{name}”: {count}.")
    name, count = _collection(form), 0
    if digests:
        change = validated(ImagesChange, {"images": digests, "remove_from_collections": (name,)})
        done = await run_in_threadpool(bulk.change, service, change)
        count = next(iter(done.uncollected.values()))
    text = gettext_of(request)(words).format(name=name, count=count)
    return see_other(request, _following(form), Toast(text))


@router.post("/export")
async def export(request: Request, service: Serving) -> Response:
    """A file with them."""
    form = await posted(request)
    asked = {"images": _images(form), "format": form.fields.get("format", ("csv",))[0]}
    answer = await run_in_threadpool(bulk.export, service, validated(ImagesExport, asked))
    answer.headers.update(page_headers())
    return answer


def _images(form: Form) -> tuple[str, ...]:
    chosen = form.fields.get("images", ())
    if not chosen:
        raise invalid("body.images", "choose at least one image first")
    return tuple(dict.fromkeys(chosen))


def _collection(form: Form) -> str:
    name = form.fields.get("collection", ("",))[0]
    if not name:
        raise invalid("body.collection", "give the collection's name")
    return name


def _following(form: Form) -> str:
    return own_address(form.fields.get("next", ("",))[0], "/images")


def _with_starts(service: Service, starts: list[str]) -> tuple[str, ...]:
    """The images whose SHA-256 begin so; where several do, none."""
    with service.workspace.catalog.reading() as session:
        candidates = [images.starting_with(session, start) for start in dict.fromkeys(starts)]
    return tuple(digests[0] for digests in candidates if len(digests) == 1)
