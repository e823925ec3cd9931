"""Requests that no client of good will sends: every one is answered or cut, none is a 500, and none hangs."""

import socket

import pytest

from tests.search_api.served import Api

HEAD = b"Host: 127.0.0.1\r\nConnection: close\r\n"
JSON = HEAD + b"Content-Type: application/json\r\n"
FORM = HEAD + b"Content-Type: multipart/form-data; boundary=b\r\n"


def sized(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def part(name: bytes, text: bytes, file: bytes = b"") -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name, file, text)


ODD = {
    "a header of a megabyte": b"GET /healthz HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "an address of a megabyte": b"GET /v1/images?cursor=" + b"a" * 1_000_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method of their own": b"FROBNICATE /v1/images HTTP/1.1\r\n" + HEAD + b"\r\n",
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "OPTIONS *": b"OPTIONS * HTTP/1.1\r\n" + HEAD + b"\r\n",
    "an absolute address": b"GET http://127.0.0.1/healthz HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a NUL in the path": b"GET /v1/images/%00 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a NUL in a file's path": b"GET /static/%00 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a long file's path": b"GET /static/" + b"a" * 5_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a path that is no UTF-8": b"GET /v1/collections/%ff HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a query that is no UTF-8": b"GET /v1/images?platform=%ed%a0%80&limit=%ff HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a NUL in a query": b"GET /v1/images?platform=%00&collections=%00 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a number beyond all": b"GET /v1/images?limit=" + b"9" * 5_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a chunk that is none": b"POST /v1/search HTTP/1.1\r\n" + JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk too large": b"POST /v1/search HTTP/1.1\r\n"
    + JSON
    + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
    "two lengths": b"POST /v1/search HTTP/1.1\r\n" + JSON + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a negative length": b"POST /v1/search HTTP/1.1\r\n" + JSON + b"Content-Length: -1\r\n\r\n",
    "another encoding": b"POST /v1/search HTTP/1.1\r\n" + JSON + b"Content-Encoding: gzip\r\n" + sized(b"{}"),
    "no body": b"POST /v1/search HTTP/1.1\r\n" + JSON + sized(b""),
    "JSON that is nested": b"POST /v1/search HTTP/1.1\r\n" + JSON + sized(b"[" * 100_000),
    "half a letter": b"POST /v1/search HTTP/1.1\r\n" + JSON + sized(b'{"pdq": "\\ud800"}'),
    "a NUL": b"POST /v1/collections HTTP/1.1\r\n" + JSON + sized(b'{"name": "a\\u0000b"}'),
    "half a letter in a name": b"POST /v1/collections HTTP/1.1\r\n" + JSON + sized(b'{"name": "\\ud800"}'),
    "no numbers": b"POST /v1/search HTTP/1.1\r\n" + JSON + sized(b'{"embedding": [' + b"NaN," * 383 + b"NaN]}"),
    "an endless number": b"POST /v1/search HTTP/1.1\r\n" + JSON + sized(b'{"pdq": "%b", "limit": 1e400}' % (b"f" * 64)),
    "a form of nothing": b"POST /v1/search HTTP/1.1\r\n" + FORM + sized(b"--b--\r\n"),
    "a form of odd names": b"POST /v1/search HTTP/1.1\r\n"
    + FORM
    + sized(part(b"\xff\x00", b"x", b'; filename="\x00/../\xed\xa0\x80.png"') + b"--b--\r\n"),
    "a list with a NUL in its name": b"POST /v1/hash-lists HTTP/1.1\r\n"
    + FORM
    + sized(part(b"file", b"pdq " + b"f0" * 32, b'; filename="a"') + part(b"source", b"a\x00b") + b"--b--\r\n"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_request_is_answered_or_cut_and_is_no_500(scratch: Api, name: str) -> None:
    with socket.create_connection(("127.0.0.1", int(scratch.url.rsplit(":", 1)[1])), timeout=60) as asking:
        told = b""
        try:
            asking.sendall(ODD[name])
            asking.shutdown(socket.SHUT_WR)
            while piece := asking.recv(65_536):
                told += piece
        except TimeoutError:
            raise
        except OSError:  # cut while it was sending
            pass
    assert not told or b" 500 " not in told.split(b"\r\n", 1)[0], told
    assert scratch.client.get("/healthz").status_code == 200
