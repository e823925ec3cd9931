"""The labelled pictures of a manifest, folder or archive, run through the detector in use; nothing is stored."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.catalog.images.labelled import LabelledImage, group_in
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.evaluation.spool import Spool
from indexer.imaging.decoding import decode, read_bytes, sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.sources import Source, SourceItem, SourceRejection, SourceSkip, open_source
from indexer.sources.archives.tarred import TarSource
from indexer.sources.label_words import TABLE_ONLY, LabelWords, WordCount, WordTally
from indexer.threads.ahead import prepared_ahead
from indexer.vocabulary import LabelValue, Progress
from indexer.workspace import Workspace

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector

_SIDES = (LabelValue.FAKE, LabelValue.AUTHENTIC)


@dataclass(frozen=True, slots=True)
class ReadPicture:
    """A labelled picture of a source and how to read its bytes again."""

    image: LabelledImage
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class ReadSource:
    """The labelled pictures of a source, each SHA-256 once, and how many were left out by reason. `spool`, if any, is
    the folder their bytes were put in, which vanishes with this object; `label_words` what words for labels were
    understood as."""

    pictures: tuple[ReadPicture, ...]
    skipped: Mapping[str, int]
    spool: Spool | None
    label_words: tuple[WordCount, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """`pixels` [3, 384, 384] float32."""

    item: SourceItem
    value: LabelValue
    sha256: str
    width: int
    height: int
    pixels: npt.NDArray[np.float32]
    read: Callable[[], bytes]


def read_labelled(
    workspace: Workspace,
    path: Path,
    progress: Progress,
    words: LabelWords = TABLE_ONLY,
    roots: Sequence[Path] = (),
) -> ReadSource:
    """Reads, decodes and detects. Pictures that one source labels both fake and authentic are disputed and left out.

    Raises:
        SourceError: nothing there, or it cannot be read.
    """
    limits = ImageLimits.from_settings(workspace.settings)
    source = open_source(path, limits, None, words, roots=roots)
    run = _Run(workspace.detector(), limits, workspace.settings.batch_size, workspace.settings.decode_workers)
    return run.read(source, progress)


class _Run:
    def __init__(self, detector: "Detector", limits: ImageLimits, batch_size: int, workers: int) -> None:
        self._detector = detector
        self._limits = limits
        self._batch_size = batch_size
        self._workers = workers
        self._skipped: Counter[str] = Counter()
        self._sides: dict[str, set[LabelValue]] = {}
        self._spool: Spool | None = None
        self._words = WordTally()

    def read(self, source: Source, progress: Progress) -> ReadSource:
        pictures: list[ReadPicture] = []
        if isinstance(source, TarSource):  # its items hold their bytes: kept, they would fill the memory
            self._spool = Spool()
        new = self._new(source, progress)
        while batch := list(islice(new, self._batch_size)):
            pictures += self._detected(batch)
        disputed = {sha256 for sha256, sides in self._sides.items() if len(sides) > 1}
        self._skipped["disputed"] += len(disputed)
        kept = (picture for picture in pictures if picture.image.sha256 not in disputed)
        ordered = sorted(kept, key=lambda picture: picture.image.sha256)
        return ReadSource(tuple(ordered), dict(sorted((+self._skipped).items())), self._spool, self._words.counts())

    def _new(self, source: Source, progress: Progress) -> Iterator[_Prepared]:
        """Labelled pictures whose bytes did not come before, in the source's order."""
        total, window = source.count(), self._workers + 2 * self._batch_size
        outcomes = prepared_ahead(self._prepare, self._heard(source), workers=self._workers, window=window)
        for done, outcome in enumerate(outcomes, 1):
            if isinstance(outcome, str):
                self._skipped[outcome] += 1
            elif self._is_new(outcome):
                yield outcome
            progress("pictures", done, total)

    def _heard(self, source: Source) -> Iterator[SourceItem | SourceRejection]:
        """The items, whose words for labels are counted; what is no picture is counted too."""
        for item in source:
            if isinstance(item, SourceSkip):
                self._skipped[f"no picture: {item.reason}"] += 1
                continue
            if isinstance(item, SourceItem) and item.word is not None:
                self._words.count(item.word)
            yield item

    def _is_new(self, picture: _Prepared) -> bool:
        sides = self._sides.setdefault(picture.sha256, set())
        is_new = not sides
        sides.add(picture.value)
        return is_new

    def _prepare(self, item: SourceItem | SourceRejection) -> _Prepared | str:
        """The picture, or a reason to leave it out."""
        if isinstance(item, SourceRejection):
            return f"rejected: {item.reason}"
        if item.value is None or item.value not in _SIDES:
            return "unknown label" if item.word is None or item.value is not None else "a word that gives no label"
        try:
            data = item.read()
            sha256 = sha256_hex(data)
            if item.expected_sha256 not in (None, sha256):
                return "rejected: sha256_mismatch"
            rgb = decode(data, self._limits).rgb
        except ImageRejectedError as error:
            return f"rejected: {error.reason}"
        pixels = self._detector.prepare(rgb)
        return _Prepared(item, item.value, sha256, rgb.width, rgb.height, pixels, self._reader(item, sha256, data))

    def _reader(self, item: SourceItem, sha256: str, data: bytes) -> Callable[[], bytes]:
        if self._spool is None:
            return item.read
        path = self._spool.folder / sha256
        try:
            path.write_bytes(data)
        except OSError as error:
            raise DejafakeError(
                f"the archive cannot be unpacked to {path.parent} ({error.strerror}): make room, or set TMPDIR"
            ) from None
        return partial(read_bytes, path, self._limits)

    def _detected(self, batch: list[_Prepared]) -> list[ReadPicture]:
        output = self._detector.run(np.stack([picture.pixels for picture in batch]))
        return [
            ReadPicture(
                LabelledImage(
                    sha256=picture.sha256,
                    fake=picture.value is LabelValue.FAKE,
                    logits=tuple(float(value) for value in output.logits[row]),
                    vector=output.embeddings[row],
                    generator=picture.item.generator,
                    technique=picture.item.technique,
                    group=group_in(dict(picture.item.fields)),
                    width=picture.width,
                    height=picture.height,
                ),
                picture.read,
            )
            for row, picture in enumerate(batch)
        ]
