"""Files that appear whole or not at all: written beside the target, synced, and renamed. All output files go through
here; a failure leaves the previous file and no leftovers.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from indexer.errors import DejafakeError

_TOKEN_BYTES = 4


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """A temporary file that replaces `path` at the end; on an error it is removed and `path` stays as it was. If the
    caller deletes the temporary file, `path` is not replaced. A symbolic link is followed; anything but a regular file
    (a pipe, /dev/stdout) is written directly. Leftovers of this `path` from a killed process are removed.

    Args:
        sync: sync it to disk first, so that a crash of the machine leaves either the old file or the new one.

    Raises:
        OSError: it cannot be written.
    """
    target = path.resolve() if path.is_symlink() else path
    if target.exists() and not target.is_file():
        if target.is_dir():
            raise IsADirectoryError(21, "Is a directory", str(target))
        yield target
        return
    beside = target.with_name(f".{secrets.token_hex(_TOKEN_BYTES)}.{target.name}.part")
    try:
        yield beside
        if beside.exists():
            if sync:
                sync_to_disk(beside)
            beside.replace(target)
            if sync:
                sync_to_disk(target.parent)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    _sweep(target)


@contextmanager
def replacing_text(path: Path) -> Iterator[TextIO]:
    """Like `replacing`, as a UTF-8 text stream without newline translation.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as stream:
        yield stream
        stream.flush()


def write_whole(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Replaces the content of `path` with `data`.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path, sync=sync) as beside:
        beside.write_bytes(data)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns OSErrors raised inside into one line for a person.

    Raises:
        DejafakeError: `path` cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise DejafakeError(
            f"cannot write {path} ({error.strerror or error}): make room, or choose another place"
        ) from None


def sync_to_disk(path: Path) -> None:
    """Syncs a file, or the entries of a folder, to disk; ignored where that is not supported.

    Raises:
        OSError: a file cannot be synced.
    """
    if os.name == "nt":
        return
    with contextlib.suppress(OSError) if path.is_dir() else contextlib.nullcontext():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sweep(target: Path) -> None:
    """Removes leftovers of earlier writes."""
    scrap = re.compile(rf"\.[0-9a-f]{{{2 * _TOKEN_BYTES}}}\.{re.escape(target.name)}\.part")
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for name in [entry.name for entry in entries if scrap.fullmatch(entry.name)]:
            target.with_name(name).unlink(missing_ok=True)
