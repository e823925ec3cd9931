"""The OpenAPI 3.1 description beyond what FastAPI derives: two bodies on one path, problems, examples, the token.

The examples are answers of a real server on pictures made in code; `python -m search_api.examples` writes them anew.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from search_api.bodies.compare import CompareFields
from search_api.bodies.enrich import EnrichFields, EnrichRequest
from search_api.bodies.forms import JSON, JSON_LD, MULTIPART
from search_api.bodies.images import IngestFields
from search_api.bodies.regions import RegionFields
from search_api.bodies.search import SearchByReference, SearchFields
from search_api.bodies.watches import NewWatch, WatchFields
from search_api.layers.errors import MEDIA_TYPE, Problem

TAGS: Final = [
    {"name": "search", "description": "Which known images is this, or is it like?"},
    {"name": "enrich", "description": "Many rows at once, answered in the background."},
    {"name": "watches", "description": "Saved queries that report when a later ingest matches."},
    {"name": "images", "description": "The catalogue: what is known of each image, and who says so."},
    {"name": "campaigns", "description": "Groups of images that belong together, as the last clustering found them."},
    {"name": "review", "description": "What waits for a person: suggestions, matches of watches, disputes, copies."},
    {"name": "accounts", "description": "Accounts that share the same pictures at nearly the same time."},
    {"name": "collections", "description": "Named sets of images of one team or source."},
    {"name": "hash lists", "description": "Known fakes as hashes, without pictures: other people's in, ours out."},
    {"name": "detectors", "description": "What turns pictures into embeddings and scores."},
    {"name": "operations", "description": "Is it alive, is it ready, how is it doing."},
]
_PLACE: Final = "recorded:"
_REFERENCE: Final = "#/components/schemas/{model}"
_FORM_MODELS: Final[tuple[type[BaseModel], ...]] = (
    Problem,
    SearchFields,
    SearchByReference,
    CompareFields,
    RegionFields,
    IngestFields,
    EnrichFields,
    EnrichRequest,
    WatchFields,
    NewWatch,
)


@cache
def _examples() -> Mapping[str, Any]:
    """The recorded requests and answers, by name."""
    recorded: dict[str, Any] = json.loads(files("search_api").joinpath("examples", "recorded.json").read_text("utf-8"))
    return recorded


def _recorded(name: str, part: Literal["request", "response"]) -> dict[str, Any]:
    """Stands for a recorded request or response until `_add_examples`: FastAPI would drop its nulls."""
    return {"example": f"{_PLACE}{name}/{part}"}


def example(name: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The recorded answer `name` as the example of a route's successful response, for its `responses`."""
    return {status: {"content": {JSON: _recorded(name, "response")}}}


NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "Not Modified"}}
"""For the `responses` of a route that answers with an ETag."""


def json_example(name: str) -> dict[str, Any]:
    """The recorded request `name` as the example of a route's JSON body, for its `openapi_extra`."""
    return {"requestBody": {"content": {JSON: _recorded(name, "request")}}}


def file_body(
    files_described: Mapping[str, str],
    fields: type[BaseModel] | None = None,
    *,
    many: bool = False,
    optional: Mapping[str, str] | None = None,
) -> Any:
    """A multipart body for a route's `openapi_extra`.

    Args:
        files_described: each file field with what it is; all are required.
        fields: the model of the other fields.
        many: whether a file field may come several times.
        optional: further file fields that can be left out.
    """
    body = _multipart(files_described, fields, many)
    body["schema"]["properties"] |= _multipart(optional or {}, None, many)["schema"]["properties"]
    return {"requestBody": {"required": True, "content": {MULTIPART: body}}}


def two_bodies(
    fields: type[BaseModel],
    files_described: Mapping[str, str],
    model: type[BaseModel],
    name: str,
    *,
    many: bool = False,
) -> Any:
    """A body that is either multipart or JSON of `model`, with the recorded request `name` as the latter's example."""
    reference = {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}, **_recorded(name, "request")}
    content = {MULTIPART: _multipart(files_described, fields, many), JSON: reference}
    return {"requestBody": {"required": True, "content": content}}


def three_bodies(described: Any, words: str) -> Any:
    """Bodies of a route (of `two_bodies`) and one of JSON-LD, with what that holds in words."""
    schema = {"description": words, "oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
    body = described["requestBody"]
    return {"requestBody": {**body, "content": {**body["content"], JSON_LD: {"schema": schema}}}}


def install(app: FastAPI, *, protected: bool) -> None:
    """Makes `app` describe itself with this module's additions; `protected` says that requests need the token."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                openapi_version=app.openapi_version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            _add_schemas(document)
            _add_problems(document)
            _add_examples(document)
            if protected:
                document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
                document["security"] = [{"token": []}]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _multipart(files_described: Mapping[str, str], fields: type[BaseModel] | None, many: bool) -> dict[str, Any]:
    upload = {"type": "string", "format": "binary"}
    properties: dict[str, Any] = {
        name: {"description": words, **({"type": "array", "items": upload, "minItems": 1} if many else upload)}
        for name, words in files_described.items()
    }
    required = list(files_described)
    if fields is not None:
        given = fields.model_json_schema(ref_template=_REFERENCE)
        properties |= {name: _without_null(schema) for name, schema in given["properties"].items()}
        required += given.get("required", [])
    schema = {"type": "object", "required": required, "properties": properties}
    return {"schema": schema, "encoding": {"collections": {"style": "form", "explode": True}} if fields else {}}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A form field's schema: a form can leave a field out but cannot say null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return {**rest, **kinds[0]}


def _add_schemas(document: dict[str, Any]) -> None:
    """Adds the models that only hand-written bodies refer to, and drops FastAPI's own form of validation errors."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in _FORM_MODELS:
        schema = model.model_json_schema(ref_template=_REFERENCE)
        for name, part in schema.pop("$defs", {}).items():
            schemas.setdefault(name, part)
        schemas[model.__name__] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _add_problems(document: dict[str, Any]) -> None:
    """Every operation may also answer with a problem it does not list (421, 401, 500 …)."""
    problem = {"schema": {"$ref": _REFERENCE.format(model="Problem")}}
    for path in document["paths"].values():
        for operation in path.values():
            listed = operation["responses"]
            for status, answer in listed.items():
                if MEDIA_TYPE in answer.get("content", {}):
                    answer["content"][MEDIA_TYPE] |= _recorded(f"problem-{status}", "response")
            if JSON in listed.get("422", {}).get("content", {}):
                content = {MEDIA_TYPE: problem | _recorded("problem-422", "response")}
                listed["422"] = {"description": "Unprocessable Content", "content": content}
            listed["default"] = {"description": "Any other problem", "content": {MEDIA_TYPE: problem}}


def _add_examples(document: dict[str, Any]) -> None:
    """Puts the recorded examples where they belong; one that is still to be recorded is left out."""
    for path in document["paths"].values():
        for operation in path.values():
            for described in (operation.get("requestBody", {}), *operation["responses"].values()):
                for media in described.get("content", {}).values():
                    if str(media.get("example", "")).startswith(_PLACE):
                        name, _, part = media.pop("example").removeprefix(_PLACE).partition("/")
                        if name in _examples():
                            media["example"] = _examples()[name][part]
