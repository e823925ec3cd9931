"""Archives of pictures, by the ending of their name."""

from pathlib import Path

from indexer.imaging.limits import ImageLimits
from indexer.sources.tarred import TAR_ENDINGS, TarSource
from indexer.sources.zipped import ZipSource

ARCHIVE_ENDINGS = (".zip", *TAR_ENDINGS)


def open_archive(path: Path, limits: ImageLimits) -> ZipSource | TarSource:
    """The archive at `path`, whose name ends in one of ARCHIVE_ENDINGS in any case. Nothing is ever unpacked to disk.

    Raises:
        SourceError: it is not what its name says, or holds no pictures.
    """
    return ZipSource.open(path, limits) if path.name.lower().endswith(".zip") else TarSource.open(path, limits)
