"""Where images come from: folders, manifests, archives and single files, all as a lazy stream of items.

Everything read here was written by someone else. What is not a picture, or leads out of its place, is a rejection.
"""

from collections.abc import Mapping
from pathlib import Path

from indexer.errors import SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources.archive import ARCHIVE_ENDINGS, open_archive
from indexer.sources.folder import FolderSource
from indexer.sources.items import SightingClaim, Source, SourceItem, SourceRejection, printable
from indexer.sources.manifest import ManifestSource
from indexer.sources.single import FileSource
from indexer.sources.tables import TABLES


def open_source(path: Path, limits: ImageLimits, mapping: Mapping[str, str] | None = None) -> Source:
    """The source at `path`: a folder, a manifest (.csv, .tsv, .jsonl, .ndjson, .parquet), an archive (.zip, .tar,
    .tar.gz, .tgz, .tar.bz2, .tar.xz), or else a single picture file.

    Args:
        path: what to read.
        limits: bounds on every file.
        mapping: columns of a manifest by field (`{"path": "file_name"}`), before the names dejafake knows.

    Raises:
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
        return FolderSource.open(path, limits)
    if is_manifest:
        return ManifestSource.open(path, limits, mapping)
    if path.name.lower().endswith(ARCHIVE_ENDINGS):
        return open_archive(path, limits)
    return FileSource(path, limits)


__all__ = ["SightingClaim", "Source", "SourceItem", "SourceRejection", "open_source"]
