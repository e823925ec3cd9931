"""Limits on requests: bytes of the body, declared or streamed, and time."""

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.made_pictures import png
from tests.search_api.served import Api, problem_of

MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


def chunks(total: int, head: bytes = b"") -> Iterator[bytes]:
    """A body of about `total` bytes without a declared length."""
    yield head
    for _ in range(total // 65_536):
        yield b"x" * 65_536


def test_a_body_declared_too_large_is_refused_unread(start: Callable[..., Api]) -> None:
    small = start(max_body_bytes=100_000)
    answer = small.client.post("/v1/search", files={"image": ("a.png", b"x" * 200_000)})
    problem_of(answer, 413, "body-too-large")


@pytest.mark.parametrize("address", ["/v1/search", "/v1/images", "/v1/compare"])
def test_a_chunked_upload_is_cut_off_at_the_limit(start: Callable[..., Api], address: str) -> None:
    small = start(max_body_bytes=300_000)
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    answer = small.client.post(address, content=chunks(2_000_000, head), headers=MULTIPART)
    problem_of(answer, 413, "body-too-large")
    assert small.client.get("/healthz").status_code == 200


def test_a_chunked_upload_within_the_limit_is_taken(api: Api) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        data = png(1)
        yield from (data[start : start + 1000] for start in range(0, len(data), 1000))
        yield b"\r\n--b--\r\n"

    answer = api.client.post("/v1/search", content=body(), headers=MULTIPART)
    assert answer.json()["matches"][0]["image"]["image"]["sha256"] == api.fakes[1]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_is_no_upload_may_be_a_megabyte_only(api: Api, kind: str) -> None:
    answer = api.client.post("/v1/search", content=chunks(2_000_000, b'{"pdq": "'), headers={"Content-Type": kind})
    assert answer.status_code == (413 if kind == "application/json" else 415)
    declared = api.client.post("/v1/search", content=b"x" * 1_100_000, headers={"Content-Type": kind})
    problem_of(declared, 413, "body-too-large")


def test_json_bodies_of_other_routes_are_cut_off_too(api: Api) -> None:
    json = {"Content-Type": "application/json"}
    answer = api.client.post("/v1/collections", content=chunks(2_000_000, b'{"name": "'), headers=json)
    problem_of(answer, 413, "body-too-large")


def test_a_large_form_field_is_refused(api: Api) -> None:
    answer = api.client.post("/v1/search", files={"image": ("a", png(1))}, data={"generator": "x" * 100_000})
    problem_of(answer, 413, "content-too-large")


def test_many_form_fields_are_refused(api: Api) -> None:
    fields = {f"field{number}": "x" for number in range(200)}
    answer = api.client.post("/v1/search", files={"image": ("a", png(1))}, data=fields)
    problem_of(answer, 413, "content-too-large")


def test_a_request_that_takes_too_long_is_answered_503(start: Callable[..., Api]) -> None:
    hasty = start(request_timeout_seconds=0.2)
    with socket.create_connection((hasty.url.split("//")[1].split(":")[0], int(hasty.url.rsplit(":", 1)[1]))) as slow:
        slow.sendall(
            b"POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 1000\r\n\r\n--b\r\n"
        )
        with slow.makefile("rb") as answer:
            head = answer.readline()
            rest = answer.read()
    assert b" 503 " in head
    assert b"application/problem+json" in rest
    assert b"urn:dejafake:problem:timeout" in rest
    assert hasty.app.state.service.liveness.troubles() == []


def test_a_client_that_leaves_mid_upload_leaves_nothing_behind(start: Callable[..., Api]) -> None:
    own = start()
    with socket.create_connection(("127.0.0.1", int(own.url.rsplit(":", 1)[1]))) as rude:
        rude.sendall(
            b"POST /v1/images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b'Content-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nxx'
        )
    assert own.client.get("/v1/images").json()["items"] == []
