"""Bodies of requests: multipart files and fields with limits on how many, JSON, and hostile names made harmless."""

import logging
import unicodedata
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, TypeVar, cast

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from indexer.errors import ImageRejectedError
from search_api.bodies.multipart import Limits, MalformedBodyError, Part, TooManyPartsError, read_parts, text_of
from search_api.layers.admission import Lane
from search_api.layers.limits import MAX_FIELD_BYTES, MAX_FIELDS

logger = logging.getLogger("dejafake.api")

MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"
JSON_LD: Final = "application/ld+json"
_NAME_LENGTH: Final = 200

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file: the form field it came in, its name as harmless text, its size in bytes, its content."""

    field: str
    name: str
    size: int
    content: BinaryIO

    def check(self, max_bytes: int) -> None:
        """Looks at its size.

        Raises:
            ImageRejectedError: it is larger than `max_bytes`.
        """
        if self.size > max_bytes:
            raise ImageRejectedError("too_many_bytes", f"the file has {self.size} bytes; at most {max_bytes} are taken")

    def read(self, max_bytes: int) -> bytes:
        """The whole file.

        Raises:
            ImageRejectedError: it is larger than `max_bytes`.
        """
        self.check(max_bytes)
        self.content.seek(0)
        return self.content.read()


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart body. `fields` holds every value of every field, without empty ones."""

    files: tuple[Upload, ...]
    fields: Mapping[str, tuple[str, ...]]

    def single(self, name: str) -> Upload:
        """The one file of the field `name`.

        Raises:
            RequestValidationError: there is none, or more than one.
        """
        uploads = [upload for upload in self.files if upload.field == name]
        if len(uploads) != 1:
            raise invalid(f"body.{name}", f"exactly one file is needed in this field, not {len(uploads)}")
        return uploads[0]

    def values(self, repeated: frozenset[str]) -> dict[str, str | tuple[str, ...]]:
        """The fields as keyword arguments: those named in `repeated` as tuples, the others as one value.

        Raises:
            RequestValidationError: a field that takes one value was given several times.
        """
        for name, given in self.fields.items():
            if name not in repeated and len(given) > 1:
                raise invalid(f"body.{harmless(name)}", "this field takes one value")
        return {name: given if name in repeated else given[0] for name, given in self.fields.items()}


def media_type(request: Request) -> str:
    """The request's content type without parameters, lower case; empty when it has none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def unsupported(*accepted: str) -> HTTPException:
    """The 415 for a body of another content type than `accepted`."""
    return HTTPException(
        415, f"This address takes {' or '.join(accepted)}.", headers={"Accept-Post": ", ".join(accepted)}
    )


def invalid(where: str, message: str) -> RequestValidationError:
    """A validation error about one part of a request, `where` a dotted path such as `body.image`."""
    return RequestValidationError([{"loc": tuple(where.split(".")), "msg": message, "type": "value_error"}])


def validated(model: type[M], values: Mapping[str, Any]) -> M:
    """Form fields as a model.

    Raises:
        RequestValidationError: they do not fit it.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _refused(error) from None


def validated_json(model: type[M], body: bytes) -> M:
    """A JSON body as a model.

    Raises:
        RequestValidationError: it is not JSON or does not fit.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> RequestValidationError:
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults])


@asynccontextmanager
async def read_form(request: Request, lane: Lane, *, max_files: int) -> AsyncIterator[Form]:
    """The request's multipart body; its files are closed at the end.

    Where the lane is full the body is not read. A place in it is taken once the body is here, so that those who send
    slowly keep nobody waiting.

    Raises:
        HTTPException: 415 another content type, 413 too many files or fields, 400 not a multipart body,
            503 too many are worked on already, or the disk does not take it.
    """
    if media_type(request) != MULTIPART:
        raise unsupported(MULTIPART)
    lane.check()
    limits = Limits(max_files, MAX_FIELDS, MAX_FIELD_BYTES)
    with ExitStack() as opened:
        try:
            parts = await read_parts(request.headers["content-type"], request.stream(), limits, opened)
        except TooManyPartsError as error:
            raise HTTPException(413, str(error)) from None
        except MalformedBodyError as error:
            raise HTTPException(400, str(error)) from None
        except OSError as error:
            logger.error("an upload could not be stored: %s", error.strerror)
            raise HTTPException(503, "The upload cannot be stored right now: send it again later.") from None
        with lane.place():
            yield _form(parts)


def _form(parts: Iterable[Part]) -> Form:
    files: list[Upload] = []
    fields: dict[str, tuple[str, ...]] = {}
    for part in parts:
        if part.file is not None:
            files.append(Upload(part.name, harmless(part.file_name or ""), part.size, cast(BinaryIO, part.file)))
        elif text := text_of(part).strip():
            fields[part.name] = (*fields.get(part.name, ()), text)
    return Form(tuple(files), fields)


def harmless(name: str) -> str:
    """A file name from outside as one line of text: no control or direction characters, no surrogates, bounded."""
    kept = "".join(letter for letter in name if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    return " ".join(kept.split())[:_NAME_LENGTH] or "unnamed"
