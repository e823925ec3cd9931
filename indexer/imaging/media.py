"""A store of files on disk named by the SHA-256 of an image: originals, and what is derived from them."""

import contextlib
import os
import re
import secrets
from pathlib import Path

from indexer.errors import UsageError

_SHA256 = re.compile(r"[0-9a-f]{64}")


class MediaStore:
    """Files under `root/ab/cd/<sha256>`. Writes are atomic; processes and threads may share a store.

    Every method raises UsageError for a name that is not 64 lower-case hex digits, and OSError when the disk fails.
    """

    def __init__(self, root: Path, *, derived: bool = False) -> None:
        """`derived`: the files can be made anew, so they are not synced, which takes longer than making them. Where the
        machine stops, one may be left empty, which counts as none."""
        self._root = root
        self._derived = derived

    def path(self, sha256: str) -> Path:
        """Where the file of this name lies, whether or not it is there."""
        if not _SHA256.fullmatch(sha256):
            raise UsageError("an image is named by its SHA-256: 64 digits of 0-9 and a-f, lower case")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def put(self, sha256: str, data: bytes) -> None:
        """Stores `data`; does nothing when a file of this name and length is there.

        The file appears whole or not at all, also when the machine stops (unless `derived`): written beside its place,
        synced, renamed.
        What an interrupted earlier write left of this name is removed.
        """
        target = self.path(sha256)
        if _size(target) == len(data):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{sha256}.{secrets.token_hex(8)}.part")
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                if not self._derived:
                    os.fsync(file.fileno())
            temporary.replace(target)
        except FileNotFoundError:  # another writer of the same image was faster and swept our part away
            if _size(target) != len(data):
                raise
        finally:
            for leftover in target.parent.glob(f"{sha256}.*.part"):
                leftover.unlink(missing_ok=True)
        if not self._derived:
            _sync_folder(target.parent)

    def get(self, sha256: str) -> bytes | None:
        """The stored bytes, None when there are none."""
        try:
            return self.path(sha256).read_bytes() or None
        except FileNotFoundError:
            return None

    def delete(self, sha256: str) -> bool:
        """Removes the file; False when there was none."""
        try:
            self.path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    """Makes a rename durable; file systems that cannot sync a folder are taken as they are."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
