"""A store of files on disk named by the SHA-256 of an image: originals and derived files."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from indexer.errors import OriginalChangedError, UsageError
from indexer.files.whole_files import write_whole

_SHA256 = re.compile(r"[0-9a-f]{64}")


class MediaStore:
    """Files under `root/ab/cd/<sha256>`. Writes are atomic; processes and threads may share a store.

    Every method raises UsageError for a name that is not 64 lower-case hex digits, and OSError on disk errors.
    """

    def __init__(self, root: Path, *, derived: bool = False) -> None:
        """`derived`: the files can be regenerated, so they are not synced, which would take longer than creating them.
        If the machine crashes, a file may be left empty, which counts as missing.
        """
        self._root = root
        self._derived = derived

    def path(self, sha256: str) -> Path:
        """The path of the file of this name, whether or not it exists."""
        if not _SHA256.fullmatch(sha256):
            raise UsageError("an image is named by its SHA-256: 64 digits of 0-9 and a-f, lower case")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def put(self, sha256: str, data: bytes) -> None:
        """Stores `data`; does nothing if a file of this name and length exists.

        The file appears whole or not at all, even if the machine crashes (unless `derived`): it is written beside the
        target, synced and renamed. Leftovers of an interrupted earlier write of this name are removed.
        """
        target = self.path(sha256)
        if _size(target) == len(data) and self._is_sound(target):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_whole(target, data, sync=not self._derived)
        except FileNotFoundError:  # another writer of the same image was faster and removed our temporary file
            if _size(target) != len(data):
                raise
        finally:
            for leftover in target.parent.glob(f"{sha256}.*.part"):
                leftover.unlink(missing_ok=True)

    def get(self, sha256: str) -> bytes | None:
        """The stored bytes, None when there are none."""
        try:
            return self.path(sha256).read_bytes() or None
        except FileNotFoundError:
            return None

    def names(self) -> Iterator[str]:
        """The SHA-256 of the stored files, sorted. Other files are ignored."""
        for first in _folders(self._root):
            for second in _folders(first):
                with os.scandir(second) as entries:
                    yield from sorted(entry.name for entry in entries if _SHA256.fullmatch(entry.name))

    def _is_sound(self, path: Path) -> bool:
        """Whether an existing file of the right length need not be rewritten."""
        return True

    def delete(self, sha256: str) -> bool:
        """Removes the file; False when there was none."""
        try:
            self.path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True


class OriginalStore(MediaStore):
    """The originals of images: their names say what their bytes must be."""

    def get(self, sha256: str) -> bytes | None:
        """The original, None when it is not kept.

        Raises:
            OriginalChangedError: the file's content does not match this SHA-256.
        """
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise OriginalChangedError(sha256)
        return data

    def _is_sound(self, path: Path) -> bool:
        return sha256_of(path) == path.name


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits; OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folders(of: Path) -> list[Path]:
    try:
        return sorted(path for path in of.iterdir() if len(path.name) == 2 and path.is_dir())
    except FileNotFoundError:
        return []


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
