"""The journal of an enrichment: a file of answers from which the same command resumes after being killed.

The first JSON line says what the answers belong to; every further line holds one group of answered rows. An incomplete
last line is dropped, so that a resumed run starts after a whole group. The output is written only after the last
answer, from input and journal alone, whatever happened in between.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from filelock import FileLock, Timeout

from indexer.enrichment.answering import AnsweredRow
from indexer.errors import ConflictError, DejafakeError


class Journal:
    """The journal at `path`, locked against a second run while it is open.

    Args:
        path: where it is, or is to be.
        identity: what the answers belong to (input, columns, detector …), by name.

    Attributes:
        rows: how many rows have been answered.

    Raises:
        ConflictError: another process has it open, or it belongs to something else.
        DejafakeError: it cannot be written.
    """

    def __init__(self, path: Path, identity: Mapping[str, str]) -> None:
        self._path = path
        self._lock = FileLock(f"{path}.lock")
        self.rows = 0
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ConflictError(
                f"another run is writing {path.name}: wait for its end, or give another --out"
            ) from None
        except OSError as error:
            raise _unwritable(path, error) from None
        try:
            self._file = self._open(identity)
        except BaseException:
            self._lock.release()
            raise

    def append(self, group: tuple[AnsweredRow, ...]) -> None:
        """Appends a group; it is synced to disk when this returns."""
        line = json.dumps([[row.location, row.cells, row.reason] for row in group], separators=(",", ":"))
        try:
            self._file.write(line.encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self._path, error) from None
        self.rows += len(group)

    def answered(self) -> Iterator[AnsweredRow]:
        """All rows answered so far, in their order."""
        with self._path.open("rb") as file:
            next(file)
            for line in file:
                for location, cells, reason in json.loads(line):
                    yield AnsweredRow(location, tuple(cells), reason)

    def close(self) -> None:
        """Closes the file and lets others open it."""
        self._file.close()
        self._lock.release()

    def remove(self) -> None:
        """Close and delete it, after the output was written."""
        self._file.close()
        self._path.unlink()
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _open(self, identity: Mapping[str, str]) -> IO[bytes]:
        try:
            file = self._path.open("r+b" if self._path.exists() else "x+b")
        except OSError as error:
            raise _unwritable(self._path, error) from None
        try:
            self._find_end(file, identity)
        except OSError as error:
            file.close()
            raise _unwritable(self._path, error) from None
        except BaseException:
            file.close()
            raise
        return file

    def _find_end(self, file: IO[bytes], identity: Mapping[str, str]) -> None:
        """Seeks to the end of the last whole group, counts the rows before it, and truncates an incomplete line after
        it.
        """
        header = json.dumps(dict(identity), sort_keys=True).encode() + b"\n"
        first = file.readline()
        if header.startswith(first) and first != header:  # new, or killed while its first line was written
            file.seek(0)
            file.truncate()
            file.write(header)
            file.flush()
            return
        self._check(first, identity)
        end = file.tell()
        while (line := file.readline()).endswith(b"\n"):
            self.rows += len(json.loads(line))
            end = file.tell()
        file.seek(end)
        file.truncate()

    def _check(self, line: bytes, identity: Mapping[str, str]) -> None:
        try:
            head = json.loads(line)
        except ValueError:
            head = None
        if not isinstance(head, dict):
            raise ConflictError(f"{self._path.name} is not dejafake's: move it away, or give another --out")
        other = [name for name in sorted({*head, *identity}) if head.get(name) != identity.get(name)]
        if other:
            raise ConflictError(
                f"{self._path.name} was begun with another {other[0]}: go on as it was begun, delete the file to start "
                "over, or give another --out"
            )


def _unwritable(path: Path, error: OSError) -> DejafakeError:
    return DejafakeError(
        f"{path} cannot be written ({error.strerror or error}): fix that and run the same command again; what was "
        "answered so far is kept"
    )
