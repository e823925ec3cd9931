"""Multipart bodies: what is too much is told from what is malformed by kind, never by a library's words."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import anyio
import pytest
import python_multipart.multipart
from python_multipart.exceptions import MultipartParseError

from search_api.bodies.multipart import Limits, MalformedBodyError, Part, TooManyPartsError, read_parts, text_of

LIMITS = Limits(files=2, fields=2, field_bytes=10)
KIND = "multipart/form-data; boundary=b"


def body(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + end


def parts_of(data: bytes, kind: str = KIND, step: int = 7) -> list[tuple[str, str | None, bytes]]:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), step):
            yield data[start : start + step]

    async def read() -> list[tuple[str, str | None, bytes]]:
        with ExitStack() as opened:
            return [told(part) for part in await read_parts(kind, chunks(), LIMITS, opened)]

    def told(part: Part) -> tuple[str, str | None, bytes]:
        return part.name, part.file_name, text_of(part).encode() if part.file is None else part.file.read()

    return anyio.run(read)


FILE = b'name="f"; filename="a.png"\r\n\r\n' + bytes(range(256))
FIELD = b'name="x"\r\n\r\nvalue'


@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_files_and_fields_come_in_their_order_however_they_are_cut(step: int) -> None:
    found = parts_of(body(FILE, FIELD, FILE, 'name="ü"\r\n\r\nä'.encode()), step=step)
    expected = ("f", "a.png", bytes(range(256)))
    assert found == [expected, ("x", None, b"value"), expected, ("ü", None, "ä".encode())]


@pytest.mark.parametrize(
    "parts",
    [(FILE, FILE, FILE), (FIELD, FIELD, FIELD), (b'name="x"\r\n\r\n' + b"v" * 11,)],
    ids=["files", "fields", "big"],
)
def test_what_is_too_much_is_told_as_that(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(TooManyPartsError):
        parts_of(body(*parts))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", KIND),
        (b"no boundary", KIND),
        (body(FIELD, end=b""), KIND),
        (body(b"no name\r\n\r\nx"), KIND),
        (body(FIELD), "multipart/form-data"),
        (body(FIELD), "multipart/form-data; boundary="),
        (body(FIELD), f"multipart/form-data; boundary={'b' * 5_000}"),
        (body(b'name="x"\r\n' + b"A: b\r\n" * 100 + b"\r\n"), KIND),
        (body(b'name="x"\r\nA: ' + b"b" * 100_000 + b"\r\n\r\n"), KIND),
    ],
)
def test_what_is_no_multipart_body_is_malformed(data: bytes, kind: str) -> None:
    with pytest.raises(MalformedBodyError):
        parts_of(data, kind)


def test_a_library_that_words_its_errors_anew_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reworded(python_multipart.multipart.MultipartParser):
        def write(self, data: bytes) -> int:
            try:
                return super().write(data)
            except MultipartParseError as error:
                raise MultipartParseError("Too many. Part exceeded.") from error

    def reworded(*given: Any, **more: Any) -> Reworded:
        return Reworded(*given, **more)

    monkeypatch.setattr("search_api.bodies.multipart.MultipartParser", reworded)
    with pytest.raises(MalformedBodyError):
        parts_of(b"no boundary")
    with pytest.raises(TooManyPartsError):
        parts_of(body(FILE, FILE, FILE))
    assert len(parts_of(body(FILE))) == 1
