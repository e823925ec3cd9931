"""The one place through which text reaches a terminal or a pipe.

Names, captions and messages come from outside: what would drive a terminal, or turn the order of its letters, is shown
as an escape. Text that the pipe's encoding lacks is shown as one too, and a pipe that nobody reads any more ends
quietly. JSON and files say such text in their own way.
"""

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TextIO

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tab and line feed, line separators, and what overrides the direction of letters."""


class SafeConsole(Console):
    """Rich's console without markup in what it is given, and with harmless text in all it writes."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The parts of what is written; rich's own control codes stay."""
        for part in super().render(renderable, options):
            yield part if part.control else Segment(shown(part.text), part.style)


def shown(text: str) -> str:
    """`text` with everything that would drive a terminal as a visible escape."""
    return _HARMFUL.sub(lambda match: ascii(match[0])[1:-1], text)


def echo(text: str, *, err: bool = False) -> None:
    """One line, or several, for a person."""
    click.echo(shown(text), err=err)


def write_json(text: str) -> None:
    """A JSON text on standard output: what would drive a terminal, or is not in its encoding, as JSON's own escapes."""
    text = _HARMFUL.sub(lambda match: match[0] if match[0].isspace() else _escaped(match[0]), text)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = "".join(c if c.isascii() else _escaped(c) for c in text)
    sys.stdout.write(text)


def data_out() -> TextIO:
    """Standard output for data (CSV, lists, documents): UTF-8 without change into a pipe or file, harmless on a
    terminal."""
    if sys.stdout.isatty():
        return _Shown(sys.stdout)  # type: ignore[return-value]
    with suppress(AttributeError, ValueError):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[union-attr]
    return sys.stdout


def prepare() -> None:
    """Lets no character end a command, whatever encoding the pipe has."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def let_go() -> None:
    """After the reader of a pipe has gone: what is still buffered goes nowhere, without a word."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            os.dup2(nowhere, stream.fileno())


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


class _Shown:
    """A stream that writes harmless text; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(shown(text.replace("\r\n", "\n")))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
