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
from indexer.sources.items import MAX_NAME, Found, SourceItem, SourceRejection, SourceSkip, printable, source_name
from indexer.sources.label_words import TABLE_ONLY, LabelWords
from indexer.sources.other_files import skip_reason

PICTURE_SUFFIXES = SUFFIXES | {".jp2", ".j2k", ".jpx", ".jxl", ".ico", ".svg", ".psd", ".tga", ".ppm", ".pgm", ".exr"}
"""File endings of pictures. Such a file is always an item, so that a damaged one is reported and not skipped."""

EDITION = "folder"
"""A folder has one edition: contradicting labels in it were stated at the same time."""

_ADVICE = "check its permissions"
_SNIFFED_BYTES = 1024
_OUTSIDE = ("outside_folder", "a symbolic link that leads out of the folder; copy the files into it")


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry of a folder: a picture, or why it is rejected or skipped."""

    path: Path
    parts: tuple[str, ...]
    rejected: tuple[str, str] | None = None
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The pictures below a folder, sorted by name within each folder, files before folders.

    Hidden files and folders are passed over, as is what is no picture by name nor by its first bytes; each is counted,
    a hidden folder as one. Symbolic links to files inside the tree are read, links to folders are not followed, and a
    link that leads out is a rejection, as is a file that cannot be opened.
    Memory is bounded by the largest single folder's names.
    """

    name: str
    _root: Path
    _limits: ImageLimits
    _words: LabelWords = TABLE_ONLY

    @classmethod
    def open(cls, path: Path, limits: ImageLimits, words: LabelWords = TABLE_ONLY) -> "FolderSource":
        """Looks for the first picture.

        Raises:
            SourceError: the folder cannot be read, or holds no picture.
        """
        source = cls(source_name(path), path.resolve(), limits, words)
        if all(entry.skipped for entry in source._walk()):
            raise SourceError(f"the folder {printable(path.name)} holds no pictures; give one that does")
        return source

    def __iter__(self) -> Iterator[Found]:
        for entry in self._walk():
            location = printable("/".join((*entry.parts, entry.path.name)))
            if entry.skipped is not None:
                yield SourceSkip(self.name, location, entry.skipped)
                continue
            if entry.rejected is not None:
                yield SourceRejection(self.name, location, *entry.rejected)
                continue
            word, generator = folder_label(entry.parts, self._words)
            generator = None if generator is None else printable(generator)[:MAX_NAME]
            yield SourceItem(
                source=self.name,
                location=location,
                read=partial(read_bytes, entry.path, self._limits),
                value=None if word is None else word.value,
                generator=generator,
                edition=EDITION + self._words.mark,
                word=word,
            )

    def count(self) -> int:
        """Walks the tree once."""
        return sum(entry.skipped is None for entry in self._walk())

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
                if name.startswith("."):
                    yield _Found(path, parts, skipped="hidden")
                elif is_link and not self._leads_inside(path):
                    yield _Found(path, parts, _OUTSIDE)
                elif is_folder and is_link:
                    yield _Found(path, parts, skipped="linked_folder")
                elif is_folder:
                    folders.append(name)
                else:
                    yield _looked_at(path, parts)
            waiting.extend((*parts, name) for name in reversed(folders))

    def _leads_inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._root)
        except (OSError, RuntimeError):
            return False


def _list(folder: Path) -> list[tuple[str, bool, bool]]:
    """Names in a folder, sorted, with whether each is a folder and whether a symbolic link."""
    with os.scandir(folder) as entries:
        return sorted((e.name, _is_folder(e), e.is_symlink()) for e in entries)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in circles
        return False


def _looked_at(path: Path, parts: tuple[str, ...]) -> _Found:
    """A file with the ending or the first bytes of a picture; anything else is skipped."""
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return _Found(path, parts)
    try:
        if not path.is_file():
            return _Found(path, parts, skipped="no_file")
        with path.open("rb") as file:
            head = file.read(_SNIFFED_BYTES)
        if head:
            sniff(head)
    except OSError as error:
        return _Found(path, parts, ("unreadable", f"the file cannot be read ({error.strerror}); {_ADVICE}"))
    except ImageRejectedError:
        return _Found(path, parts, skipped=skip_reason(path.name))
    return _Found(path, parts, skipped=None if head else "empty")
