"""Every error over HTTP is an RFC 9457 problem document (`application/problem+json`), made here.

Client errors are reported in full; server errors are logged in full and reported in general terms.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.errors import CampaignGoneError, DejafakeError, ImageRejectedError

logger = logging.getLogger("dejafake.api")

MEDIA_TYPE: Final = "application/problem+json"
_TITLES: Final[Mapping[int, str]] = {413: "Content Too Large", 421: "Misdirected Request", 422: "Unprocessable Content"}
"""Where Python versions before 3.13 use older words than RFC 9110."""
_MAX_DETAIL: Final = 1_000
_MAX_FAULTS: Final = 20

_STATUS: Final[Mapping[str, int]] = {
    "usage": 422,
    "not-found": 404,
    "conflict": 409,
    "original-changed": 409,
    "gone": 410,
    "image-rejected": 422,
    "source": 422,
    "unavailable": 503,
    "detector": 500,
    "weights-unavailable": 503,
    "weights-refused": 503,
    "read-only": 403,
    "catalog": 503,
    "catalog-too-new": 503,
    "vector-index": 503,
    "fingerprint-mismatch": 503,
}
_GENERAL_WORDS: Final[Mapping[str, str]] = {
    "unavailable": "The server was interrupted in this: send it again.",
    "detector": "The detector failed on this picture.",
    "weights-unavailable": "The detector's weights are not available on the server.",
    "weights-refused": "The detector's weights on the server are not what its description says.",
    "catalog": "The catalogue cannot be used right now.",
    "catalog-too-new": "The catalogue was written by a newer dejafake.",
    "vector-index": "The vector index cannot be used right now.",
    "fingerprint-mismatch": "The vector index belongs to another detector.",
}


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="The field or parameter, as a dotted path.", examples=["body.limit"])
    message: str = Field(description="What is wrong with it, for a person.")


class Change(BaseModel):
    """Something that was changed. `by` and `at` are null where that is not recorded."""

    what: str = Field(
        description="What: `label`, `sighting`, `collections`, `decision`, or `other`.", examples=["decision"]
    )
    value: str | None = Field(default=None, description="The label's value, or the kind of decision.")
    by: str | None = Field(default=None, description="Who.")
    at: datetime | None = Field(default=None, description="When.")


class StaleError(Exception):
    """A change was meant for another version of a resource (412). `tag`: its present version; `changes`: what was
    changed since the version it was meant for, as far as that is known."""

    def __init__(self, tag: str, changes: tuple[Change, ...]) -> None:
        super().__init__(tag)
        self.tag = tag
        self.changes = changes


class NotModifiedError(Exception):
    """The client has the present version already (304); `etag` with its quotes."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


class MalformedHeaderError(HTTPException):
    """A header of the request cannot be read (400)."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, detail)


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = Field(description="What kind of problem, as a stable URN.", examples=["urn:dejafake:problem:not-found"])
    title: str = Field(description="The kind of problem in a few words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What is wrong this time and what to do, for a person.")
    instance: str = Field(description="Identifies this occurrence; the server's log has the same id.")
    reason: str | None = Field(default=None, description="Why a picture was refused, as a stable slug.")
    faults: list[Fault] | None = Field(default=None, description="What is wrong with which part of the request.")
    successor: str | None = Field(
        default=None, description="The campaign that now holds the images of one that no longer exists."
    )
    changes: list[Change] | None = Field(
        default=None, description="What was changed since the version that If-Match names, as far as it is known."
    )


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    reason: str | None = None,
    faults: Sequence[Fault] | None = None,
    successor: str | None = None,
    changes: Sequence[Change] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem response; 5xx are logged by their instance.

    Args:
        status: the HTTP status.
        code: the stable slug that ends the problem's type.
        detail: one line for a person.
        reason, faults, successor, changes: further members where they apply.
        headers: further response headers.
    """
    document = Problem(
        type=f"urn:dejafake:problem:{code}",
        title=_title(status),
        status=status,
        detail=detail[:_MAX_DETAIL],
        instance=f"urn:uuid:{uuid4()}",
        reason=reason,
        faults=None if faults is None else list(faults),
        successor=successor,
        changes=None if changes is None else list(changes),
    )
    if status >= 500:
        logger.warning("answered %d %s, %s", status, code, document.instance)
    body = json.dumps(document.model_dump(mode="json", exclude_none=True))
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=None if headers is None else dict(headers))


def problem_of(error: DejafakeError) -> Response:
    """The problem response for an error of the library."""
    reason = error.reason if isinstance(error, ImageRejectedError) else None
    successor = error.successor if isinstance(error, CampaignGoneError) else None
    status = 413 if reason == "too_many_bytes" else _STATUS.get(error.code, 500)
    if status == 403:
        return problem(status, error.code, "This server may read its catalogue and not change it.")
    if status < 500:
        return problem(status, error.code, str(error), reason=reason, successor=successor)
    response = problem(status, error.code, _GENERAL_WORDS.get(error.code, "The server failed."))
    logger.error("%s: %s (%s)", error.code, error, _instance(response))
    return response


def install(app: FastAPI) -> None:
    """Makes `app` answer every known error as a problem; `UnexpectedErrors` handles the rest."""
    app.add_exception_handler(DejafakeError, _on_library_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(StaleError, _on_stale)
    app.add_exception_handler(NotModifiedError, _on_not_modified)


class UnexpectedErrors:
    """ASGI layer that turns unexpected exceptions into a problem without internals; the log has the traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            logger.info("a client left before its request was complete")
        except Exception as error:
            if started:
                raise
            response = problem(500, "internal", "The server failed; its log tells more under this instance.")
            logger.exception("unexpected error, %s", _instance(response), exc_info=error)
            await response(scope, receive, send)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of problems with these statuses, for a route's `responses`."""
    return {
        status: {
            "description": _title(status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


async def _on_library_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, DejafakeError):
        raise error
    return problem_of(error)


async def _on_http_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = _title(error.status_code).lower().replace(" ", "-")
    words = {
        404: "Nothing is at this address: see /docs for what there is.",
        405: "This address does not take this method: see the Allow header.",
    }
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = words.get(error.status_code, detail)
    return problem(error.status_code, code, str(detail), headers=error.headers)


async def _on_invalid_request(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = error.errors()
    if any(fault["type"] == "json_invalid" for fault in errors):
        return problem(400, "malformed", "The body is not valid JSON.")
    faults = [
        Fault(where=".".join(str(part) for part in fault["loc"])[:200], message=str(fault["msg"])[:200])
        for fault in errors[:_MAX_FAULTS]
    ]
    first = faults[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return problem(422, "validation", f"{first.where}: {first.message}{more}", faults=faults)


async def _on_stale(_request: Request, error: Exception) -> Response:
    if not isinstance(error, StaleError):
        raise error
    return stale_problem(error)


async def _on_not_modified(_request: Request, error: Exception) -> Response:
    if not isinstance(error, NotModifiedError):
        raise error
    return Response(status_code=304, headers={"ETag": error.etag})


def stale_problem(error: StaleError) -> Response:
    """The problem response for a change that was meant for another version."""
    people = ", ".join(dict.fromkeys(change.by for change in error.changes if change.by))
    detail = (
        f"It was changed since the version that If-Match names{f', by {people}' if people else ''}. Nothing was done: "
        "read it again, and send the change with its new ETag if it still holds."
    )
    headers = {"ETag": f'"{error.tag}"'}
    return problem(412, "precondition-failed", detail, changes=error.changes or None, headers=headers)


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


def _instance(response: Response) -> str:
    return str(json.loads(bytes(response.body))["instance"])
