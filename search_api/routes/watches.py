"""`/v1/watches`: saved queries that report when a later ingest matches."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from indexer.catalog.records.pages import Page
from indexer.catalog.records.watches import NewWebhook, Watch, WatchedPicture, WatchEvent
from indexer.catalog.tables.types import utc_now
from indexer.catalog.watches import events as watch_events
from indexer.catalog.watches import watches
from indexer.watching import picture_of_bytes, picture_of_known
from search_api.bodies.fields import Cursor, Limit
from search_api.bodies.forms import JSON, MULTIPART, media_type, read_form, unsupported, validated, validated_json
from search_api.bodies.watches import NewWatch, WatchChange, WatchFields
from search_api.layers.errors import responses
from search_api.layers.preconditions import NO_ANSWER, UNCONDITIONAL, IfMatch, Tagged
from search_api.openapi import NOT_MODIFIED, example, json_example, two_bodies
from search_api.service.service import Service, Serving
from search_api.service.versions import version

router = APIRouter(prefix="/v1/watches", tags=["watches"])

WatchId = Annotated[str, Path(pattern=r"^wch_[0-9a-f]{24}$", description="Id of the watch.")]
_NO_FIELDS: frozenset[str] = frozenset()


@router.post(
    "",
    status_code=201,
    summary="Make a watch",
    response_description="The watch; `Location` is its address.",
    responses={**example("watch", 201), **responses(400, 404, 409, 413, 415, 422, 503)},
    openapi_extra=two_bodies(WatchFields, {"image": "The picture to watch for."}, NewWatch, "watch"),
)
async def create(request: Request, response: Response, service: Serving) -> Watch:
    """Creates a watch for a picture, a campaign, or images that meet conditions. It covers images added from now on.

    Send `application/json` that names exactly one of `image_id`, `campaign` and `filter`, or `multipart/form-data` with
    the picture itself in `image`: it need not be in the catalogue, and is not kept. It reports the same file, the
    same picture, or an image of the same origin.

    Poll matches at the watch's `events`, or have them sent to `webhook_url` in POST requests signed as Standard
    Webhooks says, in the headers `webhook-id` (the same in every attempt), `webhook-timestamp` and
    `webhook-signature`. A receiver that fails for hours is given up, and the watch says so.
    """
    kind = media_type(request)
    if kind == MULTIPART:
        async with read_form(request, service.heavy, max_files=1) as form:
            upload = form.single("image")
            said: WatchFields = validated(WatchFields, form.values(_NO_FIELDS))
            webhook = _webhook(service, said)
            data = await run_in_threadpool(upload.read, service.settings.max_file_bytes)
            picture = await service.labour(lambda: picture_of_bytes(service.workspace, data))
            watch = await run_in_threadpool(_of_picture, service, said, picture, webhook)
    elif kind == JSON:
        body = validated_json(NewWatch, await request.body())
        webhook = _webhook(service, body)
        watch = await run_in_threadpool(_of_reference, service, body, webhook)
    else:
        raise unsupported(MULTIPART, JSON)
    response.headers["Location"] = f"/v1/watches/{watch.id}"
    return watch


@router.get("", summary="List watches", responses={**example("watches"), **responses(422)})
def list_watches(service: Serving, limit: Limit = 50, cursor: Cursor = None) -> Page[Watch]:
    """All watches with the state of their deliveries. A webhook's key is never shown."""
    with service.workspace.catalog.reading() as session:
        return watches.page(session, limit, cursor)


@router.get("/{watch}", summary="A watch", responses={**example("watch"), **NOT_MODIFIED, **responses(404, 422)})
def get(service: Serving, watch: WatchId, answer: Tagged = NO_ANSWER) -> Watch:
    """What is watched, how many matches were found, and the state of deliveries: attempts, the next one, the last
    error."""
    with service.workspace.catalog.reading() as session:
        state = watches.get(session, watch)
    answer.tag(version(state))
    return state


@router.patch(
    "/{watch}",
    summary="Pause or resume a watch",
    responses={**example("watch-pause"), **responses(404, 412, 422, 503)},
    openapi_extra=json_example("watch-pause"),
)
def change(
    service: Serving,
    watch: WatchId,
    body: WatchChange,
    condition: IfMatch = UNCONDITIONAL,
    answer: Tagged = NO_ANSWER,
) -> Watch:
    """A paused watch neither searches nor delivers; images added in the meantime are found when it is resumed.
    Resuming also restarts a webhook that was given up, where it stopped."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: version(watches.get(session, watch)))
        (watches.pause if body.paused else watches.resume)(session, watch, utc_now())
        changed = watches.get(session, watch)
    service.watching.announce()
    answer.tag(version(changed))
    return changed


@router.delete("/{watch}", status_code=204, summary="Delete a watch", responses=responses(404, 412, 422, 503))
def delete(service: Serving, watch: WatchId, condition: IfMatch = UNCONDITIONAL) -> None:
    """Deletes the watch with its events."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: version(watches.get(session, watch)))
        watches.delete(session, watch)


@router.get(
    "/{watch}/events", summary="What a watch found", responses={**example("watch-events"), **responses(404, 422)}
)
def events(service: Serving, watch: WatchId, limit: Limit = 100, cursor: Cursor = None) -> Page[WatchEvent]:
    """Images the watch found, each once, in the order they were found. There is always a `next_cursor`: pass the last
    one to get only what was found since.

    The event of an image that was deleted later is kept, with its SHA-256; `in_catalogue` is then false.
    """
    with service.workspace.catalog.reading() as session:
        return watch_events.page(session, watch, limit, cursor)


def _webhook(service: Service, said: WatchFields) -> NewWebhook | None:
    if said.webhook_url is None:
        return None
    secret = None if said.secret is None else said.secret.get_secret_value()
    service.watching.webhooks.check(said.webhook_url, said.secret)
    return NewWebhook(said.webhook_url, secret)


def _of_picture(service: Service, said: WatchFields, picture: WatchedPicture, webhook: NewWebhook | None) -> Watch:
    with service.workspace.catalog.writing() as session:
        return watches.add_picture(session, said.name, picture, most=service.settings.watches_max, webhook=webhook)


def _of_reference(service: Service, body: NewWatch, webhook: NewWebhook | None) -> Watch:
    if body.image_id is not None:
        return _of_picture(service, body, picture_of_known(service.workspace, body.image_id), webhook)
    with service.workspace.catalog.writing() as session:
        return _of_conditions(session, body, service.settings.watches_max, webhook)


def _of_conditions(session: Session, body: NewWatch, most: int, webhook: NewWebhook | None) -> Watch:
    if body.campaign is not None:
        return watches.add_campaign(session, body.name, body.campaign, most=most, webhook=webhook)
    return watches.add_filter(session, body.name, body.wanted(), most=most, webhook=webhook)
