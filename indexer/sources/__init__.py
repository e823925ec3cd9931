"""Where images come from: folders, manifests, archives and single files, all as a lazy stream of items.

Everything read here comes from outside. A path that is no picture, or leads out of its folder, becomes a rejection.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from indexer.errors import SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources.archives.archive import ARCHIVE_ENDINGS, open_archive
from indexer.sources.folder import FolderSource
from indexer.sources.items import (
    Found,
    Remark,
    Source,
    SourceItem,
    SourceRejection,
    SourceSkip,
    printable,
)
from indexer.sources.label_words import TABLE_ONLY, LabelWords
from indexer.sources.manifest import ManifestSource
from indexer.sources.other_files import refuse_other_files
from indexer.sources.single import FileSource
from indexer.sources.tables import TABLES
from indexer.sources.times import DateOrder


def open_source(
    path: Path,
    limits: ImageLimits,
    mapping: Mapping[str, str] | None = None,
    words: LabelWords = TABLE_ONLY,
    *,
    dates: DateOrder | None = None,
    roots: Sequence[Path] = (),
) -> Source:
    """The source at `path`: a folder, a manifest (.csv, .tsv, .jsonl, .ndjson, .parquet), an archive (.zip, .tar,
    .tar.gz, .tgz, .tar.bz2, .tar.xz), or else a single picture file.

    Args:
        path: what to read.
        limits: bounds on every file.
        mapping: columns of a manifest by field (`{"path": "file_name"}`), before the names dejafake knows.
        words: meanings of label words in cells and folder names, which override the table of words.
        dates: the order of day and month where a manifest's dates are in numbers and do not show it.
        roots: folders that a manifest's paths may lead into, besides its own.

    Raises:
        UsageError: a root is no folder.
        SourceError: there is nothing there, it holds no pictures, cannot be read, or lacks a column; or `mapping`
            was given for something that is not a manifest.
    """
    shown = printable(str(path))
    try:
        if path.is_dir():
            kind = "folder"
        elif path.is_file():
            kind = "file"
        else:
            raise SourceError(f"there is no folder or file {shown}; check the path")
    except (OSError, ValueError) as error:
        raise SourceError(f"{shown} cannot be read ({error}); check the path") from None
    is_manifest = kind == "file" and path.suffix.lower() in TABLES
    if mapping and not is_manifest:
        raise SourceError(f"{shown} is not a manifest, so there are no columns to map; leave the mapping out")
    if kind == "folder":
        return FolderSource.open(path, limits, words)
    if is_manifest:
        return ManifestSource.open(path, limits, mapping, words, dates=dates, roots=roots)
    if path.name.lower().endswith(ARCHIVE_ENDINGS):
        return open_archive(path, limits, words)
    refuse_other_files(path)
    return FileSource(path, limits)


__all__ = [
    "DateOrder",
    "Found",
    "Remark",
    "Source",
    "SourceItem",
    "SourceRejection",
    "SourceSkip",
    "open_source",
]
