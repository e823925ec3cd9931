"""Every error is a problem document (RFC 9457), on every route, and tells nothing of the server's insides."""

from collections.abc import Callable

import pytest

from indexer import errors
from search_api.layers.errors import problem_of as answer_for
from tests.search_api.served import Api, problem_of

METHODS = ("get", "post", "put", "patch", "delete")


def operations(api: Api) -> list[tuple[str, str]]:
    """Every (method, address) of the API, with names put in that nothing has."""
    document = api.client.get("/openapi.json").json()
    return [
        (method, path.replace("{sha256}", "0" * 64).replace("{campaign_id}", "cmp_none").replace("{name}", "none"))
        for path, item in document["paths"].items()
        for method in item
    ]


def test_every_method_a_route_does_not_take_is_a_problem_with_allow(api: Api) -> None:
    taken: dict[str, set[str]] = {}
    for method, path in operations(api):
        taken.setdefault(path, set()).add(method)
    for path, methods in taken.items():
        as_a_name = taken["/v1/collections/none"] if path.startswith("/v1/collections/none/") else set()
        if path.removeprefix("/v1/images/").isalpha():
            as_a_name = taken[f"/v1/images/{'0' * 64}"]
        for method in set(METHODS) - methods - as_a_name:  # "none/images" may be a collection, "facets" an image, too
            answer = api.client.request(method, path)
            problem_of(answer, 405, "method-not-allowed")
            assert answer.headers["allow"]


def test_every_route_answers_a_body_of_nonsense_with_a_problem(api: Api) -> None:
    for method, path in operations(api):
        if method in ("post", "patch", "put"):
            for kind in ("application/json", "multipart/form-data; boundary=b", "text/plain"):
                answer = api.client.request(method, path, content=b"\x00nonsense", headers={"Content-Type": kind})
                assert answer.headers["content-type"] == "application/problem+json", (method, path, kind)
                assert 400 <= answer.status_code < 500, (method, path, kind, answer.text)


def test_every_route_about_something_unknown_says_not_found(api: Api) -> None:
    for method, path in operations(api):
        if method in ("get", "delete") and ("none" in path or "0" * 64 in path):
            problem_of(api.client.request(method, path), 404, "not-found")


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/", "/v1/searches", "/v2/search", "/static/none.js", "/%00", "//"]
)
def test_an_address_that_is_none_is_a_problem(api: Api, path: str) -> None:
    problem_of(api.client.get(f"{api.url}{path}"), 404, "not-found")


def test_every_error_of_the_library_has_a_status_of_its_own() -> None:
    def tree(kind: type[errors.DejafakeError]) -> list[type[errors.DejafakeError]]:
        return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]

    for kind in tree(errors.DejafakeError):
        error = kind("truncated", "words") if kind is errors.ImageRejectedError else kind("words")
        answer = answer_for(error)
        assert answer.media_type == "application/problem+json"
        assert f"urn:dejafake:problem:{kind.code}".encode() in answer.body
        assert answer.status_code != 500 or kind in (errors.DejafakeError, errors.DetectorError)


def test_an_error_of_the_server_is_told_in_general_words() -> None:
    answer = answer_for(errors.CatalogError("cannot open /srv/secret/catalogue.sqlite"))
    assert answer.status_code == 503
    assert b"secret" not in answer.body


def test_what_nobody_foresaw_is_a_problem_without_internals(start: Callable[..., Api]) -> None:
    own = start()

    def broken() -> None:
        raise RuntimeError("secret words of /srv/secret")

    own.app.add_api_route("/broken", broken)
    answer = own.client.get("/broken")
    problem_of(answer, 500, "internal")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_wrong_is_said_without_repeating_what_was_sent(api: Api) -> None:
    answer = api.client.post("/v1/search", json={"pdq": "very secret words"})
    document = problem_of(answer, 422, "validation")
    assert "very secret" not in answer.text
    assert document["faults"] == [{"where": "body.pdq", "message": document["faults"][0]["message"]}]
