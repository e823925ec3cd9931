"""A folder tree of pictures, plain or laid out as `{generator}/{real|fake}/…`."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from indexer.errors import ImageRejectedError, SourceError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.imaging.sniffing import SUFFIXES, sniff
from indexer.sources.cells import folder_label
from indexer.sources.items import MAX_NAME, SourceItem, SourceRejection, printable, source_name

PICTURE_SUFFIXES = SUFFIXES | {".jp2", ".j2k", ".jpx", ".jxl", ".ico", ".svg", ".psd", ".tga", ".ppm", ".pgm", ".exr"}
"""Names that promise a picture. Such a file is always an item, so that a bad one is reported and not passed over."""

EDITION = "folder"
"""A folder has one edition: pictures lying in folders that contradict each other do so at the same time."""

_ADVICE = "check its permissions"
_OUTSIDE = ("outside_folder", "a symbolic link that leads out of the folder; copy the files into it")


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    parts: tuple[str, ...]
    rejected: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The pictures below a folder, sorted by name within each folder, files before folders.

    Hidden files and folders are passed over, as is what is no picture by name nor by its first bytes. Symbolic links
    to files inside the tree are read, links to folders are not followed, and a link that leads out is a rejection.
    Memory is bounded by the largest single folder's names.
    """

    name: str
    _root: Path
    _limits: ImageLimits

    @classmethod
    def open(cls, path: Path, limits: ImageLimits) -> "FolderSource":
        """Looks for the first picture.

        Raises:
            SourceError: the folder cannot be read, or holds no picture.
        """
        source = cls(source_name(path), path.resolve(), limits)
        if next(source._walk(), None) is None:
            raise SourceError(f"the folder {printable(path.name)} holds no pictures; give one that does")
        return source

    def __iter__(self) -> Iterator[SourceItem | SourceRejection]:
        for found in self._walk():
            location = printable("/".join((*found.parts, found.path.name)))
            if found.rejected is not None:
                yield SourceRejection(self.name, location, *found.rejected)
                continue
            value, generator = folder_label(found.parts)
            generator = None if generator is None else printable(generator)[:MAX_NAME]
            yield SourceItem(
                source=self.name,
                location=location,
                read=partial(read_bytes, found.path, self._limits),
                value=value,
                generator=generator,
                edition=EDITION,
            )

    def count(self) -> int:
        """Walks the tree once."""
        return sum(1 for _ in self._walk())

    def _walk(self) -> Iterator[_Found]:
        waiting: list[tuple[str, ...]] = [()]
        while waiting:
            parts = waiting.pop()
            folders: list[str] = []
            try:
                entries = _list(self._root.joinpath(*parts))
            except OSError as error:
                if not parts:
                    raise SourceError(f"the folder {self.name} cannot be read ({error.strerror}); {_ADVICE}") from None
                message = f"the folder cannot be read ({error.strerror}); {_ADVICE}"
                yield _Found(self._root.joinpath(*parts), parts[:-1], ("unreadable", message))
                continue
            for name, is_folder, is_link in entries:
                path = self._root.joinpath(*parts, name)
                if is_link and not self._leads_inside(path):
                    yield _Found(path, parts, _OUTSIDE)
                elif is_folder:
                    if not is_link:
                        folders.append(name)
                elif _promises_picture(path):
                    yield _Found(path, parts)
            waiting.extend((*parts, name) for name in reversed(folders))

    def _leads_inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._root)
        except (OSError, RuntimeError):
            return False


def _list(folder: Path) -> list[tuple[str, bool, bool]]:
    """Names in a folder that are not hidden, sorted, with whether each is a folder and whether a symbolic link."""
    with os.scandir(folder) as entries:
        return sorted((e.name, _is_folder(e), e.is_symlink()) for e in entries if not e.name.startswith("."))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in circles
        return False


def _promises_picture(path: Path) -> bool:
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return True
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            sniff(file.read(1024))
    except (OSError, ImageRejectedError):
        return False
    return True
