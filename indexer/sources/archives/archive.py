"""Archives of pictures, by the ending of their name."""

from pathlib import Path

from indexer.imaging.limits import ImageLimits
from indexer.sources.archives.tarred import TAR_ENDINGS, TarSource
from indexer.sources.archives.zipped import ZipSource
from indexer.sources.label_words import TABLE_ONLY, LabelWords

ARCHIVE_ENDINGS = (".zip", *TAR_ENDINGS)


def open_archive(path: Path, limits: ImageLimits, words: LabelWords = TABLE_ONLY) -> ZipSource | TarSource:
    """The archive at `path`, whose name ends in one of ARCHIVE_ENDINGS in any case. Nothing is ever unpacked to disk.

    Raises:
        SourceError: it is not what its name says, or holds no pictures.
    """
    kind = ZipSource if path.name.lower().endswith(".zip") else TarSource
    return kind.open(path, limits, words)
