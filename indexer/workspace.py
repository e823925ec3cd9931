"""Everything one process needs of an installation, opened once and closed once: catalogue, index, detector, files.

The CLI opens one per command, the API one per process. The detector is loaded when a picture must be embedded.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy.orm import Session

from indexer.catalog.campaigns import campaigns
from indexer.catalog.copies import coverage
from indexer.catalog.database import Catalog
from indexer.catalog.earlier_place import refuse_if_left_behind
from indexer.catalog.images import images, labels
from indexer.catalog.records.campaigns import Campaign, CampaignMember
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import CatalogCounts, Image, ImageDetails
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.pages import Page
from indexer.copies.descriptor import ResolvedDescriptor, resolve_descriptor
from indexer.copies.features import FEATURES_FINGERPRINT
from indexer.detector import ResolvedDetector, resolve
from indexer.detector.shared_passes import SharedPasses
from indexer.errors import DejafakeError, DetectorError, FingerprintMismatchError, NotFoundError, UsageError
from indexer.files.media import MediaStore, OriginalStore
from indexer.imaging.limits import ImageLimits
from indexer.index import EmbeddingSource, SearchIndex
from indexer.ingest.pipeline import Ingest
from indexer.ingest.report import IngestOptions
from indexer.search.searcher import Searcher
from indexer.settings import Settings
from indexer.threads import limit_libraries
from indexer.upkeep.deletion import Removal, delete_image, remove_files

logger = logging.getLogger("dejafake")

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.copies.descriptor.copy_descriptor import CopyDescriptor
    from indexer.detector import Detector


class Workspace:
    """One installation, open.

    Attributes:
        settings: as given.
        resolved: the detector in use, known without loading it.
        resolved_descriptor: the copy descriptor in use, known without loading it; None where it is off or unusable.
        descriptor_problem: why there is none although the settings want one; None where all is well.
        catalog: the SQL catalogue.
        index: the vector index of `resolved`.
        limits: what bounds every file from outside.
        originals, thumbnails: content-addressed files.
        passes: of the detector in use, shared by all who wait for it.
        searcher: answers queries.

    Raises:
        DejafakeError: the home folder, the detector's weights, the catalogue or the index cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.limits = ImageLimits.from_settings(settings)
        limit_libraries(settings.threads)
        _make_home(settings.home)
        self.resolved: ResolvedDetector = resolve(settings.detector, settings)
        self.resolved_descriptor: ResolvedDescriptor | None = None
        self.descriptor_problem: str | None = None
        try:
            self.resolved_descriptor = resolve_descriptor(settings.copy_descriptor)
        except (DetectorError, NotFoundError) as error:  # what it would have found is missed, and all else still works
            self.descriptor_problem = f"no copy descriptor is in use: {error}"
        self.originals = OriginalStore(settings.media_dir)
        self.thumbnails = MediaStore(settings.thumbnails_dir, derived=True)
        if settings.database_url is None:
            refuse_if_left_behind(settings.catalogue_file)
        self.catalog = Catalog.open(settings.catalog_url)
        try:
            self.index = SearchIndex(
                self.catalog,
                settings,
                self.resolved.fingerprint,
                copy_source(self.resolved_descriptor, settings),
                FEATURES_FINGERPRINT if settings.local_features else None,
            )
        except BaseException:
            self.catalog.close()
            raise
        self.passes = SharedPasses(self.detector, settings.batch_size, self.descriptor)
        self.searcher = Searcher(
            self.catalog,
            self.index,
            self.resolved,
            self.resolved_descriptor,
            self.passes,
            settings,
            lambda: self.descriptor_problem,
        )
        self._finish_deletions()
        self._loaded: Detector | None = None
        self._loaded_descriptor: CopyDescriptor | None = None
        self._loading = Lock()

    def detector(self) -> "Detector":
        """The detector in use, loaded and proven at the first call.

        Raises:
            FingerprintMismatchError: its files are not those that were there when the installation was opened, whose
                index is open.
            DejafakeError: as `load_detector`.
        """
        with self._loading:
            if self._loaded is None:
                from indexer.detector import load_detector

                loaded = load_detector(self.settings)
                if loaded.fingerprint != self.resolved.fingerprint:
                    raise FingerprintMismatchError(
                        f"the files of {self.resolved.spec.name} were changed while dejafake was open: it was "
                        f"{self.resolved.fingerprint[:16]} and is now {loaded.fingerprint[:16]}; start again"
                    )
                self._loaded = loaded
            return self._loaded

    def descriptor(self) -> "CopyDescriptor | None":
        """The copy descriptor in use, loaded and proven at the first call; None where it is off or unusable, of which
        `descriptor_problem` tells."""
        with self._loading:
            if self._loaded_descriptor is None and self.resolved_descriptor and self.descriptor_problem is None:
                from indexer.copies.descriptor.loading import load_descriptor

                try:
                    self._loaded_descriptor = load_descriptor(self.settings, self.resolved_descriptor)
                except DetectorError as error:
                    self.descriptor_problem = f"no copy descriptor is in use: {error}"
                    logger.warning("%s", self.descriptor_problem)
            return self._loaded_descriptor

    @property
    def detector_loaded(self) -> bool:
        """Whether the detector is there, whoever asked for it first."""
        return self._loaded is not None

    def ingest(self, options: IngestOptions | None = None) -> Ingest:
        """A run of the pipeline into this installation; loads the models.

        Raises:
            ReadOnlyError: it may be read only.
        """
        self.catalog.require_writable()
        return Ingest(
            self.catalog,
            self.detector(),
            self.originals,
            self.thumbnails,
            self.settings,
            options or IngestOptions(),
            self.descriptor(),
            self.passes,
        )

    def lacking_for_copies(self) -> int:
        """How many images lack what copies are found by, of what is in use: a copy embedding, local features."""
        descriptor = None if self.resolved_descriptor is None else self.resolved_descriptor.fingerprint
        features = FEATURES_FINGERPRINT if self.settings.local_features else None
        with self.catalog.reading() as session:
            return coverage.count_lacking(session, descriptor, features)

    def counts(self) -> CatalogCounts:
        """How much the catalogue holds."""
        with self.catalog.reading() as session:
            return images.counts(session)

    def images(
        self, image_filter: ImageFilter | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Image]:
        """Images that meet a filter, newest first; pass `next_cursor` of a page to get the next one.

        Raises:
            UsageError: a bad limit or cursor.
        """
        with self.catalog.reading() as session:
            return images.page(session, image_filter or ImageFilter(), limit=limit, cursor=cursor)

    def image(self, sha256: str) -> ImageDetails:
        """Everything about one image.

        Raises:
            NotFoundError: it is not in the catalogue.
        """
        with self.catalog.reading() as session:
            details = images.get(session, sha256)
        if details is None:
            raise NotFoundError(f"no image {sha256} in this catalogue: check the SHA-256")
        return details

    def label_image(self, sha256: str, label: NewLabel) -> ImageDetails:
        """Adds a statement about an image, and returns the image as it is then. No statement is overwritten.

        Raises:
            NotFoundError: the image is not in the catalogue.
            UsageError: the label names no source.
        """
        with self.catalog.writing() as session:
            image_id = images.find_ids(session, [sha256]).get(sha256)
            if image_id is None:
                raise NotFoundError(f"no image {sha256} in this catalogue: check the SHA-256")
            labels.state(session, image_id, [label])
        return self.image(sha256)

    def campaigns(self, *, limit: int = 50, cursor: str | None = None) -> Page[Campaign]:
        """Campaigns of the last clustering, largest first.

        Raises:
            UsageError: a bad limit or cursor.
        """
        with self.catalog.reading() as session:
            return campaigns.page(session, limit=limit, cursor=cursor)

    def campaign_members(self, campaign: str, *, limit: int = 50, cursor: str | None = None) -> Page[CampaignMember]:
        """Images of a campaign: exemplars first, then by falling strength.

        Raises:
            NotFoundError: there is no such campaign (any more).
            UsageError: a bad limit or cursor.
        """
        with self.catalog.reading() as session:
            campaigns.existing(session, campaign)
            return campaigns.members(session, campaign, limit=limit, cursor=cursor)

    def delete_image(self, sha256: str, reason: str, check: Callable[[Session], None] | None = None) -> Removal | None:
        """Deletes an image with everything that hangs on it, and its files. A tombstone stays.

        Args:
            sha256: of the image.
            reason: why; kept.
            check: called in the transaction that deletes, before it does; what it raises stops the deletion.

        Returns:
            What became of the files, whose removal is tried again later if it failed; None where there is no image.

        Raises:
            CatalogError: the catalogue cannot be written; nothing was deleted.
        """
        return self.remove_files() if delete_image(self.catalog, sha256, reason, check) else None

    def remove_files(self) -> Removal:
        """Removes the files of deleted images that are still to go.

        Raises:
            CatalogError: the catalogue cannot be written.
        """
        return remove_files(self.catalog, self.originals, self.thumbnails)

    def _finish_deletions(self) -> None:
        """Removes what a deletion that was killed left behind; where that is not possible now, a later start does."""
        try:
            self.remove_files()
        except DejafakeError as error:
            logger.warning("files of deleted images are left: %s", error)

    def find_image(self, start: str) -> str:
        """The SHA-256 of the one image whose digest starts with `start`, which has 6 to 64 hex digits.

        Raises:
            UsageError: it is not such a start, or several images have it.
            NotFoundError: no image has it.
        """
        digits = start.lower()
        if not 6 <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
            raise UsageError(f"{start} is not a SHA-256, nor the first 6 or more hex digits of one")
        with self.catalog.reading() as session:
            matching = images.starting_with(session, digits)
        if not matching:
            raise NotFoundError(f"no image {start} in this catalogue: check the SHA-256")
        if len(matching) > 1:
            raise UsageError(f"several images start with {start}: give more digits")
        return matching[0]

    def close(self) -> None:
        """Ends the passes that are waited for, stops background work and closes the catalogue."""
        self.passes.close()
        self.index.close()
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DejafakeError(
            f"cannot make the home folder {home} ({error.strerror}): choose another with --home or DEJAFAKE_HOME"
        ) from None


def copy_source(resolved: ResolvedDescriptor | None, settings: Settings) -> EmbeddingSource | None:
    """The embeddings of a copy descriptor, for an index of them."""
    if resolved is None:
        return None
    return EmbeddingSource.of_descriptor(resolved.fingerprint, resolved.spec.dimension, settings)
