"""The labelled pictures of a manifest, folder or archive, run through the detector in use; nothing is stored."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.catalog.labelled import LabelledImage, group_in
from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import decode, sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.sources import Source, SourceItem, SourceRejection, open_source
from indexer.vocabulary import LabelValue
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
    """The labelled pictures of a source, each SHA-256 once, and how many were left out by reason."""

    pictures: tuple[ReadPicture, ...]
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """`pixels` [3, 384, 384] float32."""

    item: SourceItem
    value: LabelValue
    sha256: str
    width: int
    height: int
    pixels: npt.NDArray[np.float32]


def read_labelled(workspace: Workspace, path: Path, progress: Callable[[int, int | None], None]) -> ReadSource:
    """Reads, decodes and detects. Pictures that one source labels both fake and authentic are disputed and left out.

    Raises:
        SourceError: nothing there, or it cannot be read.
    """
    limits = ImageLimits.from_settings(workspace.settings)
    source = open_source(path, limits)
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

    def read(self, source: Source, progress: Callable[[int, int | None], None]) -> ReadSource:
        total = source.count()
        found: list[ReadPicture] = []
        prepared = self._prepared(source, lambda done: progress(done, total))
        while batch := list(islice(prepared, self._batch_size)):
            found += self._detected(batch)
        disputed = {sha256 for sha256, sides in self._sides.items() if len(sides) > 1}
        self._skipped["disputed"] += len(disputed)
        kept = (picture for picture in found if picture.image.sha256 not in disputed)
        return ReadSource(
            tuple(sorted(kept, key=lambda picture: picture.image.sha256)), dict(sorted((+self._skipped).items()))
        )

    def _prepared(self, source: Source, done: Callable[[int], None]) -> Iterator[_Prepared]:
        """New labelled pictures, prepared in worker threads a bounded window ahead."""
        waiting: deque[Future[_Prepared | str]] = deque()
        count = 0
        with ThreadPoolExecutor(self._workers, thread_name_prefix="decode") as pool:

            def next_one() -> _Prepared | None:
                nonlocal count
                outcome = waiting.popleft().result()
                count += 1
                done(count)
                if isinstance(outcome, str):
                    self._skipped[outcome] += 1
                    return None
                return outcome if self._is_new(outcome) else None

            try:
                for item in source:
                    waiting.append(pool.submit(self._prepare, item))
                    if len(waiting) >= self._workers + self._batch_size and (ready := next_one()) is not None:
                        yield ready
                while waiting:
                    if (ready := next_one()) is not None:
                        yield ready
            finally:
                for future in waiting:
                    future.cancel()

    def _is_new(self, one: _Prepared) -> bool:
        sides = self._sides.setdefault(one.sha256, set())
        is_new = not sides
        sides.add(one.value)
        return is_new

    def _prepare(self, item: SourceItem | SourceRejection) -> _Prepared | str:
        """The picture, or a reason to leave it out."""
        if isinstance(item, SourceRejection):
            return f"rejected: {item.reason}"
        if item.value is None or item.value not in _SIDES:
            return "unknown label"
        try:
            data = item.read()
            sha256 = sha256_hex(data)
            if item.expected_sha256 not in (None, sha256):
                return "rejected: sha256_mismatch"
            rgb = decode(data, self._limits).rgb
        except ImageRejectedError as error:
            return f"rejected: {error.reason}"
        return _Prepared(item, item.value, sha256, rgb.width, rgb.height, self._detector.prepare(rgb))

    def _detected(self, batch: list[_Prepared]) -> list[ReadPicture]:
        output = self._detector.run(np.stack([one.pixels for one in batch]))
        return [
            ReadPicture(
                LabelledImage(
                    sha256=one.sha256,
                    fake=one.value is LabelValue.FAKE,
                    logits=tuple(float(value) for value in output.logits[row]),
                    vector=output.embeddings[row],
                    generator=one.item.generator,
                    technique=one.item.technique,
                    group=group_in(dict(one.item.fields)),
                    width=one.width,
                    height=one.height,
                ),
                one.item.read,
            )
            for row, one in enumerate(batch)
        ]
