"""The ways of asking: with a picture, an image of the catalogue, an address, hashes or an embedding.

Each becomes a probe here and is answered by `indexer.search.answering`; used by the API, the CLI and enrichment alike.
A verdict is about all images that the asker may see: identity (same file, same picture) with those of every label,
likeness (same origin) with the known fakes. What is listed is what the options ask for.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

from indexer.calibration import CalibrationVersion
from indexer.catalog.database import Catalog
from indexer.catalog.images import sightings
from indexer.copies.descriptor import ResolvedDescriptor
from indexer.detector import ResolvedDetector
from indexer.detector.shared_passes import Seen, SharedPasses, rows_of
from indexer.errors import NotFoundError
from indexer.index import SearchIndex
from indexer.search.answering import Answering
from indexer.search.answers import SearchAnswer, SearchOptions
from indexer.search.measurer import Measurer
from indexer.search.probe import (
    MeasuredPicture,
    ModelInput,
    PreparedPicture,
    Probe,
    of_embedding,
    of_hashes,
)
from indexer.search.probes import Probes
from indexer.search.steps import PictureSteps, Steps, in_this_thread
from indexer.search.stopwatch import Stopwatch
from indexer.settings import Settings
from indexer.verdict.active_calibration import ActiveCalibration
from indexer.verdict.thresholds import Thresholds

_AT_ONE_ADDRESS = 20
"""Most images of one address that are searched with: a page may show many."""


class Searcher:
    """Answers queries on one catalogue with one detector. Safe to share between threads.

    Args:
        catalog: the truth.
        index: the vector index of `resolved` over that catalogue.
        resolved: which detector is in use.
        descriptor: which copy descriptor is, None without one.
        passes: of that detector.
        settings: thresholds and limits.
        descriptor_problem: says why the copy descriptor that the settings want is not in use, None where all is well.

    Attributes:
        probes: what can be compared of pictures and images, for those who compare them with something else.
    """

    def __init__(
        self,
        catalog: Catalog,
        index: SearchIndex,
        resolved: ResolvedDetector,
        descriptor: ResolvedDescriptor | None,
        passes: SharedPasses,
        settings: Settings,
        descriptor_problem: Callable[[], str | None],
    ) -> None:
        self._catalog = catalog
        self._passes = passes
        self._measurer = Measurer(catalog, resolved, descriptor, settings)
        self._steps = PictureSteps(self._measurer)
        self.probes = Probes(catalog, index, resolved, descriptor, passes, self._measurer, settings)
        self._answering = Answering(catalog, index, resolved, descriptor, settings, descriptor_problem)

    @property
    def calibration(self) -> ActiveCalibration:
        """The one that answers are read with."""
        return self._answering.calibration

    def by_bytes(self, data: bytes, options: SearchOptions | None = None) -> SearchAnswer:
        """Search with the bytes of an image file.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
            UsageError: an option is out of range.
        """
        watch = Stopwatch()
        measured, seen = in_this_thread(self.steps(lambda: data, watch))
        return self.by_seen(measured, seen.result(), watch, options)

    def steps(self, read: Callable[[], bytes], watch: Stopwatch) -> Steps[tuple[MeasuredPicture, Future[Seen]]]:
        """What `by_bytes` does before `by_seen`, for callers that choose where each step runs. `read` gives the bytes
        of the file."""
        return self._steps.of_file(read, self.probes.hand_on, watch)

    def by_seen(
        self, measured: MeasuredPicture, seen: Seen, watch: Stopwatch, options: SearchOptions | None = None
    ) -> SearchAnswer:
        """Search with a measured picture and what the detector saw in it: the last step.

        Raises:
            UsageError: an option is out of range.
        """
        watch.add("queue", seen.waited)
        watch.add("model", seen.took)
        with watch.step("catalogue"):
            calibration = self._answering.catch_up()
        return self._by_seen(measured, seen, watch, options, calibration)

    def prepare(self, data: bytes) -> PreparedPicture:
        """Decodes and hashes the bytes of an image file for `by_pictures`; may run in any thread, ahead of it.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        measured, seen_as = in_this_thread(self._steps.of_file(lambda: data, lambda seen_as: seen_as, Stopwatch()))
        return PreparedPicture(measured, seen_as)

    def by_pictures(
        self, pictures: Sequence[PreparedPicture], options: SearchOptions | None = None
    ) -> list[SearchAnswer]:
        """Search with several pictures, in their order, that go through the detector as a batch of their own, after
        single pictures that somebody waits for.

        Raises:
            UsageError: an option is out of range.
        """
        if not pictures:
            return []
        seen = self._seen([picture.seen_as for picture in pictures])
        calibration = self._answering.catch_up()
        return [
            self._by_seen(picture.measured, sight, Stopwatch(), options, calibration)
            for picture, sight in zip(pictures, seen, strict=True)
        ]

    def by_hashes(self, sha256: str | None, pdq: str | None, options: SearchOptions | None = None) -> SearchAnswer:
        """Search with what is known of a picture that is not at hand: its SHA-256, its PDQ hash, or both.

        An image of the catalogue with that SHA-256 is searched with by all that is stored of it; any other by its PDQ
        hash, whose quality is taken on trust.

        Args:
            sha256: 64 lower-case hex digits.
            pdq: 64 hex digits.

        Raises:
            UsageError: neither is given, the PDQ hash is not one, or an option is out of range.
        """
        if sha256 is None:
            return self.by_pdq(pdq or "", options)
        try:
            return self.by_sha256(sha256, options)
        except NotFoundError:
            return self._by_probe(of_hashes(sha256, pdq), options)

    def by_sha256(
        self, sha256: str, options: SearchOptions | None = None, *, leave_itself_out: bool = False
    ) -> SearchAnswer:
        """Search with an image of the catalogue, by what is stored of it; its original is not needed.

        Args:
            sha256: of the image.
            options: how to search.
            leave_itself_out: the answer is as if the image were not among those searched.

        Raises:
            NotFoundError: no such image.
            UsageError: an option is out of range.
        """
        watch = Stopwatch()
        with watch.step("catalogue"):
            probe, known = self.probes.of_known(sha256)
            calibration = self._answering.catch_up()
        return self._answering.answer(
            probe, options or SearchOptions(), watch, calibration, known, leave_itself_out=leave_itself_out
        )

    def by_addresses(self, urls: Sequence[str], options: SearchOptions | None = None) -> list[SearchAnswer]:
        """Search with each image that was seen, or archived, at one of these addresses; a few at most, and none is
        fetched. Empty when nothing was.

        Raises:
            UsageError: an option is out of range.
        """
        if not urls:
            return []
        with self._catalog.reading() as session:
            seen = sightings.images_at(session, urls, _AT_ONE_ADDRESS)
        return [self.by_sha256(sha256, options) for sha256 in seen]

    def by_embedding(self, embedding: Sequence[float], options: SearchOptions | None = None) -> SearchAnswer:
        """Search with an embedding of the detector in use; it is L2-normalised here.

        Raises:
            UsageError: it has not 384 finite numbers, or is all zero.
        """
        return self._by_probe(of_embedding(embedding), options)

    def by_pdq(self, pdq: str, options: SearchOptions | None = None) -> SearchAnswer:
        """Search with a PDQ hash of 64 hex digits, whose quality is taken on trust.

        Raises:
            UsageError: it is not 64 hex digits.
        """
        return self._by_probe(of_hashes(None, pdq), options)

    def thresholds(self) -> Thresholds:
        """What counts as the same picture and the same origin when a search says nothing else."""
        return self.thresholds_with(self.calibration.get())

    def thresholds_with(self, calibration: CalibrationVersion | None) -> Thresholds:
        """The same, read with this calibration."""
        return self._answering.thresholds(SearchOptions(), calibration)

    def _seen(self, inputs: Sequence[ModelInput]) -> list[Seen]:
        """What the models see in several pictures, in one batch of their own."""
        pixels = np.stack([prepared.pixels for prepared in inputs])
        views = [prepared.views for prepared in inputs if prepared.views is not None]
        if not views:
            return rows_of(self._passes.run(pixels))
        output, copies = self._passes.run_with_copies(pixels, np.concatenate(views))
        return rows_of(
            output,
            () if copies is None else np.split(copies, np.cumsum([len(of_picture) for of_picture in views])[:-1]),
        )

    def _by_seen(
        self,
        measured: MeasuredPicture,
        seen: Seen,
        watch: Stopwatch,
        options: SearchOptions | None,
        calibration: CalibrationVersion | None,
    ) -> SearchAnswer:
        probe = self._measurer.of_picture(measured, seen, calibration)
        return self._answering.answer(probe, options or SearchOptions(), watch, calibration)

    def _by_probe(self, probe: Probe, options: SearchOptions | None) -> SearchAnswer:
        calibration = self._answering.catch_up()
        return self._answering.answer(probe, options or SearchOptions(), Stopwatch(), calibration)
