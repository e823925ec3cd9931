"""Reads a whole file from outside, up to a size."""

from pathlib import Path

from indexer.errors import SourceError
from indexer.sources.items import printable


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of a file of at most `most` bytes.

    Raises:
        SourceError: it cannot be read, or is larger.
    """
    shown = printable(path.name)
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise SourceError(f"{shown} cannot be read ({error.strerror}); check the path and permissions") from None
    if len(data) > most:
        raise SourceError(f"{shown} is larger than {most:,} bytes; split it")
    return data
