"""Files written once, counted and hashed while writing, and synced when closed."""

import hashlib
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from indexer.index.vectors.manifest import FileEntry


class SealedFile:
    """A new file being written; leaving the `with` block without an error syncs it to disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self._size = 0

    def __enter__(self) -> "SealedFile":
        self._file: BinaryIO = self._path.open("xb")
        return self

    def write(self, data: bytes | npt.NDArray[Any]) -> None:
        """Append bytes, or the memory of a C-contiguous array."""
        view = data if isinstance(data, bytes) else data.reshape(-1).view(np.uint8).data
        if len(view):
            self._file.write(view)
            self._digest.update(view)
            self._size += len(view)

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        with self._file:
            if failure is None:
                self._file.flush()
                os.fsync(self._file.fileno())

    @property
    def entry(self) -> FileEntry:
        """Name, size and checksum of what was written."""
        return FileEntry(self._path.name, self._size, self._digest.hexdigest())


def fsync_folder(folder: Path) -> None:
    """Sync the entries of a folder, where the system can (Windows cannot, and does not need it for renames)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
