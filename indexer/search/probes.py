"""What can be compared of a picture, known or not: for comparisons and watches, which ask no catalogue for its like."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from indexer.calibration import CalibrationVersion
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.copies import local_features
from indexer.catalog.database import Catalog
from indexer.catalog.detections import embeddings
from indexer.catalog.records.images import KnownImage
from indexer.copies.descriptor import ResolvedDescriptor
from indexer.copies.features import FEATURES_FINGERPRINT
from indexer.copies.verification.thumbnails import Thumbnails
from indexer.detector import ResolvedDetector
from indexer.detector.shared_passes import Seen, SharedPasses
from indexer.index import SearchIndex
from indexer.search.details import stored_details
from indexer.search.measurer import Measurer
from indexer.search.probe import ModelInput, OpenedPicture, Probe
from indexer.search.steps import PictureSteps, in_this_thread
from indexer.search.stopwatch import Stopwatch
from indexer.settings import Settings


class Probes:
    """Reduces pictures to what can be compared of them; arguments as of `Searcher`. Safe to share between threads."""

    def __init__(
        self,
        catalog: Catalog,
        index: SearchIndex,
        resolved: ResolvedDetector,
        descriptor: ResolvedDescriptor | None,
        passes: SharedPasses,
        measurer: Measurer,
        settings: Settings,
    ) -> None:
        self._catalog = catalog
        self._index = index
        self._resolved = resolved
        self._descriptor = descriptor
        self._features = settings.local_features
        self._thumbnails = Thumbnails(settings)
        self._passes = passes
        self._measurer = measurer
        self._steps = PictureSteps(measurer)

    def open(self, data: bytes) -> OpenedPicture:
        """Decodes the bytes of an image file, for a comparison.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        return OpenedPicture(self._measurer.decode(data, Stopwatch()), data)

    def of_bytes(self, data: bytes) -> Probe:
        """The bytes of an image file reduced to what can be compared.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        (probe,) = self.of_opened([self.open(data)], None)
        return probe

    def of_opened(self, pictures: Sequence[OpenedPicture], calibration: CalibrationVersion | None) -> list[Probe]:
        """Opened pictures reduced to what can be compared, in their order."""
        watch = Stopwatch()
        begun = [in_this_thread(self._steps.of_opened(picture, self.hand_on, watch)) for picture in pictures]
        return [self._measurer.of_picture(measured, seen.result(), calibration) for measured, seen in begun]

    def hand_on(self, seen_as: ModelInput) -> Future[Seen]:
        """Submits what the models see of a picture to the next pass."""
        return self._passes.submit(seen_as.pixels, seen_as.views)

    def of_known(self, sha256: str) -> tuple[Probe, KnownImage]:
        """An image of the catalogue by all that is stored of it, and the image.

        Raises:
            NotFoundError: no such image.
        """
        probe, known = self._measurer.of_known(sha256)
        if probe.unassessable is not None:
            return probe, known
        view, image_id = self._index.view(), known.image_id
        vectors, copies = view.vectors_of([image_id]), view.copy_vectors_of([image_id])
        with self._catalog.reading() as session:
            if not vectors:
                vectors = embeddings.vectors(session, self._resolved.fingerprint, [image_id])
            if not copies and self._descriptor is not None:
                copies = copy_embeddings.vectors(session, self._descriptor.fingerprint, [image_id])
            codes = local_features.of(session, FEATURES_FINGERPRINT, [image_id]) if self._features else {}
        return (
            replace(
                probe,
                vector=vectors.get(image_id),
                copies=self._measurer.copies(copies[image_id][None]) if copies else None,
                details=partial(stored_details, codes[image_id], f"image {sha256}") if codes else None,
                small=partial(self._thumbnails.get, sha256),
            ),
            known,
        )
