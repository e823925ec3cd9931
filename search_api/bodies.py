"""Bodies of requests: multipart files and fields with limits on how many, JSON, and hostile names made harmless."""

import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from indexer.errors import ImageRejectedError
from search_api.limits import MAX_FIELD_BYTES, MAX_FIELDS

MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"
_NAME_LENGTH: Final = 200

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file: the form field it came in, its name as harmless text, its size in bytes, its content."""

    field: str
    name: str
    size: int
    content: BinaryIO

    def read(self, max_bytes: int) -> bytes:
        """The whole file.

        Raises:
            ImageRejectedError: it is larger than `max_bytes`.
        """
        if self.size > max_bytes:
            raise ImageRejectedError("too_many_bytes", f"the file has {self.size} bytes; at most {max_bytes} are taken")
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
        found = [upload for upload in self.files if upload.field == name]
        if len(found) != 1:
            raise invalid(f"body.{name}", f"exactly one file is needed in this field, not {len(found)}")
        return found[0]

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


class _WholeParser(MultiPartParser):
    """Refuses a body that ends before its last boundary, which the parser would take, its last file left open."""

    def __init__(self, request: Request, max_files: int) -> None:
        super().__init__(
            request.headers,
            self._watched(request.stream()),
            max_files=max_files,
            max_fields=MAX_FIELDS,
            max_part_size=MAX_FIELD_BYTES,
        )
        self._ended = False

    def on_end(self) -> None:
        self._ended = True

    async def _watched(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in body:
            yield chunk
        if not self._ended:
            raise MultiPartException("The multipart body ends before its last boundary.")


@asynccontextmanager
async def read_form(request: Request, *, max_files: int) -> AsyncIterator[Form]:
    """The request's multipart body; its files are closed at the end.

    Raises:
        HTTPException: 415 another content type, 413 too many files or fields, 400 not a multipart body.
    """
    if media_type(request) != MULTIPART:
        raise unsupported(MULTIPART)
    try:
        data = await _WholeParser(request, max_files).parse()
    except MultiPartException as error:
        too_much = error.message.startswith(("Too many", "Part exceeded"))
        raise HTTPException(413 if too_much else 400, error.message) from None
    except (ValueError, LookupError):  # charsets and boundaries that are none
        raise HTTPException(400, "Invalid multipart data.") from None
    try:
        files: list[Upload] = []
        fields: dict[str, tuple[str, ...]] = {}
        for name, value in data.multi_items():
            if isinstance(value, UploadFile):
                files.append(Upload(name, harmless(value.filename or ""), value.size or 0, value.file))
            elif value.strip():
                fields[name] = (*fields.get(name, ()), value.strip())
        yield Form(tuple(files), fields)
    finally:
        await data.close()


def harmless(name: str) -> str:
    """A file name from outside as one line of text: no control or direction characters, no surrogates, bounded."""
    kept = "".join(letter for letter in name if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    return " ".join(kept.split())[:_NAME_LENGTH] or "unnamed"
