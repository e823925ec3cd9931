"""Whole numbers over HTTP: outside their range they are a 422, whatever the route."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.search_api.served import Api

HUGE = 10**20


def numbers(schema: Mapping[str, Any], document: Mapping[str, Any], at: str, seen: frozenset[str]) -> Iterator[str]:
    """Where a schema takes whole numbers without a largest one."""
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    if name and name not in seen:
        yield from numbers(document["components"]["schemas"][name], document, at, seen | {name})
    if schema.get("type") == "integer" and not {"maximum", "exclusiveMaximum", "enum", "const"} & set(schema):
        yield at
    for key in ("anyOf", "allOf", "oneOf"):
        for one in schema.get(key, ()):
            yield from numbers(one, document, at, seen)
    for field, one in schema.get("properties", {}).items():
        yield from numbers(one, document, f"{at}.{field}", seen)
    if isinstance(schema.get("items"), dict):
        yield from numbers(schema["items"], document, f"{at}[]", seen)


def test_every_whole_number_that_is_taken_has_a_largest_value(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    found: list[str] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                found += numbers(parameter["schema"], document, f"{method} {path} {parameter['name']}", frozenset())
            for content in operation.get("requestBody", {}).get("content", {}).values():
                found += numbers(content["schema"], document, f"{method} {path}", frozenset())
    assert found == []


def test_a_number_outside_its_range_is_refused_by_every_route(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    asked = 0
    for path, operations in document["paths"].items():
        parameters = operations.get("get", {}).get("parameters", ())
        whole = [one for one in parameters if "integer" in str(one["schema"])]
        others = {one["name"]: 1 if one in whole else "0" * 64 for one in parameters if one["in"] == "path"}
        for one in whole:
            for value in (HUGE, -HUGE, 2**63):
                places = {**others, one["name"]: value} if one["in"] == "path" else others
                query = {} if one["in"] == "path" else {one["name"]: value}
                answer = api.client.get(path.format(**places), params=query)
                assert answer.status_code == 422, (path, one["name"], value, answer.text)
                asked += 1
    assert asked > 20
