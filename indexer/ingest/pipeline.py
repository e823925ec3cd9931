"""Source -> decode -> detect -> catalogue: how pictures get in.

Worker threads read, hash, decode and prepare while the model runs; every batch is one transaction, so a killed run
leaves nothing half-written and the next one finishes the job. The vector index catches up by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from indexer.arrays import Floats, Vector
from indexer.catalog.copies import descriptors
from indexer.catalog.database import Catalog
from indexer.catalog.detections import detectors
from indexer.catalog.images import collections, labels
from indexer.catalog.images.intake import IncomingImage, Intake, StatedLabels
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.sources import NewSource
from indexer.copies.features import FEATURES_FINGERPRINT
from indexer.detector import DetectorSpec
from indexer.files.media import MediaStore
from indexer.ingest.passes import OwnPasses, Passes
from indexer.ingest.preparing import Describer, Prepared, Preparer
from indexer.ingest.report import IngestOptions, IngestReport, ItemOutcome, Tally
from indexer.settings import Settings
from indexer.sightings import NewSighting
from indexer.sources.items import Found, SourceItem, SourceRejection, SourceSkip
from indexer.threads.ahead import prepared_ahead
from indexer.vocabulary import ItemStatus, Technique

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector, DetectorOutput

_KNOWN_PER_TRANSACTION = 256
"""Most images that are already known to be written in one transaction; new ones come in batches of the model."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the models say of the pictures of a batch, by SHA-256."""

    detections: Mapping[str, NewDetection]
    descriptions: Mapping[str, Vector]


class Ingest:
    """One run of the pipeline into one catalogue.

    Args:
        catalog: where everything but the files goes.
        detector: gives the embeddings.
        originals, thumbnails: where files go; originals are kept only if the settings say so.
        settings: limits, batch size, workers.
        options: what to add to what the source says.
        descriptor: gives the copy embeddings; None for none.
        passes: make the passes in place of the models' own `run`, where others wait for them too. Either is called in
            the calling thread only.
    """

    def __init__(
        self,
        catalog: Catalog,
        detector: "Detector",
        originals: MediaStore,
        thumbnails: MediaStore,
        settings: Settings,
        options: IngestOptions,
        descriptor: Describer | None = None,
        passes: Passes | None = None,
    ) -> None:
        self._catalog = catalog
        self._passes = passes or OwnPasses(detector, descriptor)
        self._detector = detector
        self._originals = originals
        self._settings = settings
        self._options = options
        self._preparer = Preparer(catalog, detector, originals, thumbnails, settings, descriptor)
        self._descriptor = descriptor
        self._detector_id = self._descriptor_id = 0

    def run(
        self,
        items: Iterable[Found],
        observe: Callable[[ItemOutcome], None] | None = None,
    ) -> IngestReport:
        """Ingests all items; `observe` hears of each when it is safely in the catalogue, or rejected. What is no
        picture is only counted.

        Raises:
            DejafakeError: files or catalogue cannot be written (a full disk), or the detector fails. What was
                observed before is safe; running again finishes the job.
        """
        started = perf_counter()
        tally = Tally(self._settings.reports_dir if self._options.list_rejected else None)
        self._register()
        for batch in self._batches(self._prepared(_without_skips(items, tally))):
            for outcome in self._store(batch, tally):
                tally.count(outcome)
                if observe is not None:
                    observe(outcome)
        return tally.report(perf_counter() - started)

    def _register(self) -> None:
        with self._catalog.writing() as session:
            self._detector_id = detectors.register(
                session,
                self._detector.spec.name,
                self._detector.fingerprint,
                self._detector.spec.trained,
                self._detector.spec.as_json(),
            )
            if (of := self._descriptor) is not None:
                self._descriptor_id = descriptors.register(
                    session, of.spec.name, of.fingerprint, of.spec.dimension, of.spec.as_json()
                )
            for name in self._options.collections:
                collections.ensure(session, name)

    def _prepared(self, items: Iterable[SourceItem | SourceRejection]) -> Iterator[Prepared | SourceRejection]:
        """Prepares items in worker threads, a bounded window ahead, and yields them in their own order."""
        window = self._settings.decode_workers + 2 * self._settings.batch_size
        return prepared_ahead(self._preparer.prepare, items, workers=self._settings.decode_workers, window=window)

    def _still_kept(self, sha256: str) -> bool:
        """Whether the original is there, if it is to be: the files of a deleted image go while nobody else writes."""
        return not self._settings.keep_originals or self._originals.path(sha256).is_file()

    def _batches(self, prepared: Iterable[Prepared | SourceRejection]) -> Iterator[list[Prepared | SourceRejection]]:
        """Groups items so that each group holds at most one batch of different pictures for the models."""
        batch: list[Prepared | SourceRejection] = []
        new: set[str] = set()
        for item in prepared:
            batch.append(item)
            if isinstance(item, Prepared) and (item.picture is not None or item.view is not None):
                new.add(item.sha256)
            if len(new) >= self._settings.batch_size or len(batch) >= _KNOWN_PER_TRANSACTION:
                yield batch
                batch, new = [], set()
        if batch:
            yield batch

    def _store(self, batch: list[Prepared | SourceRejection], tally: Tally) -> list[ItemOutcome]:
        """Embeds the new pictures of a batch, in one pass of each model, and writes the batch in one transaction."""
        ready = [item for item in batch if isinstance(item, Prepared)]
        seen = self._see(
            {item.sha256: item.picture.pixels for item in ready if item.picture is not None},
            {item.sha256: item.view for item in ready if item.view is not None},
        )
        with self._catalog.writing() as session:
            intake = Intake(
                session,
                [item.sha256 for item in ready],
                read_here=True,
                fingerprint=self._detector.fingerprint,
                descriptor=None if self._descriptor is None else self._descriptor.fingerprint,
                features=FEATURES_FINGERPRINT,
            )
            outcomes = [self._store_one(session, intake, item, seen, tally) for item in batch]
            intake.store_detections(self._detector_id)
            intake.store_copy_embeddings(self._descriptor_id)
            intake.store_features()
        return outcomes

    def _store_one(
        self,
        session: Session,
        intake: Intake,
        item: Prepared | SourceRejection,
        seen: _Seen,
        tally: Tally,
    ) -> ItemOutcome:
        if isinstance(item, SourceRejection):
            return _rejected(item)
        if item.sha256 not in intake.ids and (item.picture is None or not self._still_kept(item.sha256)):
            return _rejected(_vanished(item))  # deleted by someone between reading and writing
        stored = intake.store(self._incoming(item, seen))
        tally.sightings += stored.sightings_added
        tally.labels += stored.labels_added
        if item.item.word is not None:
            tally.words.count(item.item.word)
        if item.item.unknown_technique is not None:
            tally.technique(item.item.unknown_technique)
        return ItemOutcome(
            item.item.source,
            item.item.location,
            ItemStatus.ADDED if stored.added else ItemStatus.KNOWN,
            item.sha256,
            disputed=labels.current(session, stored.image_id).disputed,
            remarks=item.item.remarks,
        )

    def _see(self, pictures: dict[str, Floats], views: dict[str, Floats]) -> _Seen:
        """What the models say of prepared pictures and views, each by SHA-256."""
        output, rows = None, None
        if pictures and views:
            output, rows = self._passes.run_with_copies(_stacked(pictures), _stacked(views))
        elif pictures:
            output = self._passes.run(_stacked(pictures))
        elif views:
            rows = self._passes.embed(_stacked(views))
        detections = [] if output is None else detections_of(output, self._detector.spec)
        described = zip(views, () if rows is None else rows, strict=rows is not None)
        return _Seen(
            dict(zip(pictures, detections, strict=True)),
            {sha256: vector for sha256, vector in described if vector.any()},  # a flat picture may give only zeros
        )

    def _incoming(self, prepared: Prepared, seen: _Seen) -> IncomingImage:
        """What is to be stored of an item, with what the options add to what its source says."""
        item, picture = prepared.item, prepared.picture
        label = self._label(item)
        return IncomingImage(
            sha256=prepared.sha256,
            image=None if picture is None else picture.image,
            rehashed=prepared.renewed if picture is None else picture.image,
            provenance=prepared.origin,
            detection=seen.detections.get(prepared.sha256),
            copy_embedding=seen.descriptions.get(prepared.sha256),
            features=prepared.features,
            sources=(NewSource(item.source, item.location, item.fields),),
            collections=(*self._options.collections, *item.collections),
            sightings=() if item.sighting is None else (NewSighting(**asdict(item.sighting)),),
            labels=() if label is None else (StatedLabels((label,)),),
        )

    def _label(self, item: SourceItem) -> NewLabel | None:
        options = self._options
        # a word that gives no label was said all the same: the label for silent sources is not for it
        value = item.value if item.word is not None else item.value or options.label
        if value is None:
            return None
        return NewLabel(
            value=value,
            source_kind=options.source_kind,
            source=options.stated_by or item.source,
            technique=item.technique if item.technique is not Technique.UNKNOWN else options.technique,
            generator=item.generator or options.generator,
            reason=item.label_reason,
            edition=item.edition,
        )


def _stacked(arrays: Mapping[str, Floats]) -> Floats:
    return np.stack(list(arrays.values()))


def detections_of(output: "DetectorOutput", spec: DetectorSpec) -> list[NewDetection]:
    """What the catalogue keeps of a detector's outputs, picture by picture; p(fake) only of a trained one."""
    return [
        NewDetection(
            vector=output.embeddings[row],
            logits=tuple(float(value) for value in output.logits[row]),
            p_fake=float(output.p_fake[row]) if spec.trained else None,
        )
        for row in range(len(output.embeddings))
    ]


def _without_skips(items: Iterable[Found], tally: Tally) -> Iterator[SourceItem | SourceRejection]:
    """What there is to do; what is no picture is counted."""
    for item in items:
        if isinstance(item, SourceSkip):
            tally.skip(item.reason)
        else:
            yield item


def _rejected(item: SourceRejection) -> ItemOutcome:
    return ItemOutcome(item.source, item.location, ItemStatus.REJECTED, reason=item.reason, message=item.message)


def _vanished(item: Prepared) -> SourceRejection:
    return SourceRejection(
        item.item.source, item.item.location, "deleted", "the image was deleted during the ingest: ingest it again"
    )
