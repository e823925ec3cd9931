"""The OpenAPI document is valid, complete, and its examples are answers this very API gives."""

from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.search_api.served import Api

EXAMPLES_WOULD_TELL_NOTHING = {
    "/v1/collections/{name}",
    "/v1/hash-lists/{name}",
    "/v1/review/{item}/assignment",
    "/v1/images/{sha256}/sightings",
    "/v1/images/{sha256}/heatmap",
}


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    """The description of the shared server."""
    described: dict[str, Any] = api.client.get("/openapi.json").json()
    return described


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, found) for path, item in document["paths"].items() for method, found in item.items()]


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_search_takes_a_picture_or_json_on_one_path(document: dict[str, Any]) -> None:
    content = document["paths"]["/v1/search"]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/json"}
    form = content["multipart/form-data"]["schema"]
    assert form["required"] == ["image"]
    assert {"limit", "label", "technique", "generator", "platform", "posted_from", "posted_to"} <= set(
        form["properties"]
    )


def test_every_operation_has_a_summary_a_tag_and_problems(document: dict[str, Any]) -> None:
    known = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        assert set(operation["tags"]) <= known, (path, method)
        assert "application/problem+json" in operation["responses"]["default"]["content"], (path, method)
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")):
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_every_answer_under_v1_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            media = answer.get("content", {}).get("application/json", {})
            if "example" in media:
                schema = {**media["schema"], "components": document["components"]}
                OAS31Validator(schema).validate(media["example"])
                checked += 1
            elif status == "200" and path.startswith("/v1") and media and method == "get":
                assert path in EXAMPLES_WOULD_TELL_NOTHING, path
    assert checked >= 12


def test_every_json_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        media = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if media is not None:
            assert "example" in media, (path, method)
            OAS31Validator({**media["schema"], "components": document["components"]}).validate(media["example"])


def test_the_description_says_whether_a_token_is_needed(document: dict[str, Any]) -> None:
    assert "security" not in document
