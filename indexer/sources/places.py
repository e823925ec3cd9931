"""The folders that a table's pictures may be in (its own and allowed roots), and resolving a path to a file. A path
that does not exist is also tried in the other Unicode form (NFC, NFD), and ignoring case if exactly one file fits.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from threading import Lock
from unicodedata import normalize
from urllib.parse import unquote

from indexer.errors import ImageRejectedError, UsageError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.sources.items import MAX_PATH, Remark, printable

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+")
_MOST_LISTED = 256
"""Most folders whose names are remembered."""


class Places:
    """The folders that the pictures of a table may be in. Thread-safe.

    Args:
        folder: what relative paths are relative to.
        roots: folders that paths may lead into as well.
        limits: bounds on every file.

    Raises:
        UsageError: a root is no folder.
    """

    def __init__(self, folder: Path, limits: ImageLimits, roots: Sequence[Path] = ()) -> None:
        self._folder = folder.resolve()
        self._limits = limits
        wrong = next((root for root in roots if not root.is_dir()), None)
        if wrong is not None:
            raise UsageError(f"there is no folder {printable(str(wrong))}: check --root")
        self._allowed = (self._folder, *(root.resolve() for root in roots))
        self._spelled = (*self._allowed, *(root.absolute() for root in roots))
        self._listed: dict[Path, tuple[dict[str, list[str]], dict[str, list[str]]]] = {}
        self._lock = Lock()

    def path(self, text: str) -> PurePath:
        """A path of a picture; Windows separators and `file://` are understood. With roots it may be absolute.

        Raises:
            ValueError: too long, a web address, or leads out of the folder while there are no roots.
        """
        text = _without_scheme(text)
        if len(text) > MAX_PATH:
            raise ValueError(f"is longer than the {MAX_PATH:,} characters a path may have")
        path = PurePosixPath(text.replace("\\", "/"))
        if len(self._allowed) > 1 and path.name and (path.is_absolute() or not PureWindowsPath(text).drive):
            return path
        if len(self._allowed) > 1 and Path(text).is_absolute():  # a drive, on Windows itself
            return Path(text)
        if path.is_absolute() or PureWindowsPath(text).drive or ".." in path.parts or not path.name:
            raise ValueError(
                "is not a path inside the manifest's folder; on the command line, --root FOLDER allows paths into it"
            )
        return path

    def has(self, path: PurePath) -> bool:
        """Whether there is such a file. Raises OSError."""
        return self._find(path)[0].is_file()

    def find(self, path: PurePath) -> tuple[Callable[[], bytes], Remark | None]:
        """A function that reads the file at `path`, and remarks about its name.

        The function raises ImageRejectedError, also if the file is outside all folders.
        """
        target, in_other_case = self._find(path)
        remark = None
        if in_other_case:
            remark = Remark("name_in_other_case", f"'{printable(str(path))}' is there as '{printable(target.name)}'")
        return partial(_read_inside, target, self._allowed, self._limits), remark

    def _find(self, path: PurePath) -> tuple[Path, bool]:
        """The file in the spelling it has on disk, or as given; and whether its case differs."""
        target = self._folder / path
        try:
            if os.path.lexists(target):
                return target, False
            return self._spelled_otherwise(target)
        except (OSError, ValueError, RuntimeError):
            return target, False

    def _spelled_otherwise(self, target: Path) -> tuple[Path, bool]:
        base = next((root for root in self._spelled if target.is_relative_to(root)), None)
        if base is None:
            return target, False
        path, in_other_case = base, False
        for part in target.relative_to(base).parts:
            if os.path.lexists(path / part):
                path /= part
                continue
            alike, folded = self._names(path)
            names = alike.get(_composed(part), [])
            if not names:
                names = folded.get(_composed(part).casefold(), [])
                in_other_case = True
            if len(names) != 1:
                return target, False
            path /= names[0]
        return path, in_other_case

    def _names(self, folder: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """The files in a folder, by composed name and by case-folded name."""
        with self._lock:
            if folder not in self._listed:
                alike, folded = defaultdict(list), defaultdict(list)
                if _is_inside(folder.resolve(), self._allowed):
                    for name in sorted(entry.name for entry in folder.iterdir()):
                        alike[_composed(name)].append(name)
                        folded[_composed(name).casefold()].append(name)
                if len(self._listed) >= _MOST_LISTED:
                    self._listed.clear()
                self._listed[folder] = (dict(alike), dict(folded))
            return self._listed[folder]


def _without_scheme(text: str) -> str:
    """A path without a `file://` prefix. Raises ValueError for a file on another machine."""
    scheme, mark, rest = text.partition("://")
    if not mark or not _SCHEME.fullmatch(scheme):
        return text
    host, slash, path = rest.partition("/")
    if scheme.lower() != "file":
        raise ValueError(
            "is an address, and nothing is fetched; download the picture beside the table and name the file"
        )
    if host.lower() not in ("", "localhost") or not slash:
        raise ValueError("is no path on this machine; copy the picture beside the table and name the file")
    path = unquote(path)
    return path if PureWindowsPath(path).drive else f"/{path}"


def _composed(name: str) -> str:
    return normalize("NFC", name)


def _is_inside(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _read_inside(path: Path, folders: Sequence[Path], limits: ImageLimits) -> bytes:
    """Reads a file of one of these resolved folders, links followed. Raises ImageRejectedError."""
    try:
        target = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ImageRejectedError("unreadable", f"the path cannot be followed ({error}); check it") from None
    if not _is_inside(target, folders):
        raise ImageRejectedError(
            "outside_folder",
            "the path leads out of the manifest's folder; copy the file into it, or allow its folder by --root FOLDER",
        )
    return read_bytes(target, limits)
