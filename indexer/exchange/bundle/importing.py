"""Imports a bundle, one transaction per part. Bundles may come in any order; labels keep the names of their sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from indexer.arrays import Vector
from indexer.catalog import Catalog
from indexer.catalog.copies import descriptors
from indexer.catalog.detections import detectors
from indexer.catalog.images import label_history
from indexer.catalog.images.intake import IncomingImage, Intake, StatedLabels
from indexer.catalog.images.label_history import Statement
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.sources import NewSource
from indexer.catalog.tables.types import utc_now
from indexer.copies.descriptor import ResolvedDescriptor
from indexer.copies.features import FEATURES_FINGERPRINT, unpack
from indexer.detector import DetectorSpec
from indexer.errors import DejafakeError, ImageRejectedError, UsageError
from indexer.exchange.bundle.for_copies import ForCopies
from indexer.exchange.bundle.layout import BundledImage, BundledLabel
from indexer.exchange.bundle.provenance import unverified
from indexer.exchange.bundle.reading import Bundle, Part
from indexer.files.media import MediaStore
from indexer.imaging.decoding import decode
from indexer.imaging.file_facts import file_facts
from indexer.imaging.limits import ImageLimits
from indexer.imaging.thumbnails import make_thumbnail
from indexer.sightings import NewSighting
from indexer.vocabulary import LabelSource, PdqMethod


@dataclass(frozen=True, slots=True)
class BundleImport:
    """What an import did. `labels_older`: statements left out because the catalogue holds later ones of the same
    source. `provenance_added`: images for which findings about their file's origin were added. `embeddings_refused` and
    `copies_refused` (copy embeddings or local features): why they were left out, None when they were taken or there
    were none."""

    bundle: str
    images: int
    images_added: int
    labels_added: int
    labels_older: int
    sightings_added: int
    provenance_added: int
    embeddings_added: int
    thumbnails_added: int
    thumbnails_rejected: int
    copy_embeddings_added: int
    features_added: int
    embeddings_refused: str | None
    copies_refused: str | None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a bundle is imported: the catalogue, its detector, where thumbnails are kept at which size, its copy
    descriptor, and whether local features are kept."""

    catalog: Catalog
    spec: DetectorSpec
    fingerprint: str
    thumbnails: MediaStore
    thumbnail_size: int
    limits: ImageLimits
    descriptor: ResolvedDescriptor | None = None
    features: bool = True


def import_bundle(
    bundle: Bundle, name: str, into: Destination, *, observe: Callable[[int], None] = lambda _: None
) -> BundleImport:
    """Add what a bundle holds. All of it is verified before anything is written; importing again changes nothing.

    Labels keep their source, kind, time and edition, so they take the same precedence as if they had been stated
    here. Findings about a file's origin are added only where none are stored, and marked as not verified. Embeddings
    by a detector other than the one in use are refused; everything else is kept.

    Args:
        name: of the bundle's file; it becomes a source of its images.
        observe: called with the number of images after each transaction.

    Raises:
        SourceError: the bundle is not sound; nothing was written.
        DejafakeError: catalogue or thumbnails cannot be written; what was observed is stored, and importing again
            adds the rest.
    """
    bundle.verify()
    run = _Run(name, into, embeds=bundle.manifest.detector.fingerprint == into.fingerprint)
    offered = 0
    for part in bundle.parts():
        offered += len(part.vectors)
        run.add(part)
        observe(len(part.images))
    refused = None
    if offered and not run.embeds:
        other = bundle.manifest.detector
        refused = (
            f"{offered} embeddings are of {other.name} ({other.fingerprint[:16]}) and were left out: this installation "
            f"uses {into.spec.name} ({into.fingerprint[:16]})"
        )
    return BundleImport(
        bundle=bundle.digest,
        images=bundle.manifest.images,
        embeddings_refused=refused,
        copies_refused=run.copies_refused,
        **run.counts,
    )


class _Run:
    def __init__(self, name: str, into: Destination, *, embeds: bool) -> None:
        self._name = name
        self._into = into
        self.embeds = embeds
        self.copies_refused: str | None = None
        self.counts = dict.fromkeys(
            (
                "images_added",
                "labels_added",
                "labels_older",
                "sightings_added",
                "provenance_added",
                "embeddings_added",
                "copy_embeddings_added",
                "features_added",
                "thumbnails_added",
                "thumbnails_rejected",
            ),
            0,
        )

    def add(self, part: Part) -> None:
        """Store a part: files first, because a file without a row does no harm, then one transaction."""
        counts = dict.fromkeys(self.counts, 0)
        self._add_thumbnails(part.thumbnails, counts)
        detections = self._detections(part)
        vectors, features = self._copies(part.copies)
        of = self._into.descriptor
        with self._into.catalog.writing() as session:
            intake = Intake(
                session,
                [image.sha256 for image in part.images],
                read_here=False,
                descriptor=None if of is None else of.fingerprint,
                features=FEATURES_FINGERPRINT,
            )
            history = label_history.statements(session, list(intake.ids.values()))
            for image in part.images:
                here = history.get(intake.ids.get(image.sha256, 0), ())
                stated, older = newer_labels(image.labels, here)
                incoming = self._incoming(image, stated, detections.get(image.sha256))
                stored = intake.store(
                    replace(incoming, copy_embedding=vectors.get(image.sha256), features=features.get(image.sha256))
                )
                counts["images_added"] += stored.added
                counts["provenance_added"] += stored.provenance_added
                counts["sightings_added"] += stored.sightings_added
                counts["labels_added"] += stored.labels_added
                counts["labels_older"] += older
            if detections:
                counts["embeddings_added"] = intake.store_detections(self._detector(session))
            if vectors and of is not None:
                spec = of.spec
                descriptor = descriptors.register(session, spec.name, of.fingerprint, spec.dimension, spec.as_json())
                counts["copy_embeddings_added"] = intake.store_copy_embeddings(descriptor)
            counts["features_added"] = intake.store_features()
        for what, count in counts.items():
            self.counts[what] += count

    def _incoming(
        self, image: BundledImage, stated: tuple[StatedLabels, ...], detection: NewDetection | None
    ) -> IncomingImage:
        places = [NewSource(source.source, source.location, source.fields) for source in image.sources]
        return IncomingImage(
            sha256=image.sha256,
            image=_new_image(image),
            provenance=tuple(unverified(finding) for finding in image.provenance) or None,
            detection=detection,
            sources=(*places, NewSource(self._name, image.sha256)),
            collections=tuple(image.collections),
            sightings=tuple(NewSighting(**sighting.model_dump()) for sighting in image.sightings),
            labels=stated,
        )

    def _detections(self, part: Part) -> dict[str, NewDetection]:
        if not self.embeds or not len(part.vectors):
            return {}
        said = [(image.sha256, image.detection) for image in part.images if image.detection is not None]
        return {
            sha256: NewDetection(vector, detection.logits, detection.p_fake if self._into.spec.trained else None)
            for (sha256, detection), vector in zip(said, part.vectors, strict=True)
        }

    def _copies(self, given: ForCopies) -> tuple[Mapping[str, Vector], Mapping[str, bytes]]:
        """The copy embeddings and the local features that are of what is in use here."""
        of, vectors, features = self._into.descriptor, given.vectors, given.features
        if vectors and (of is None or given.descriptor != of.fingerprint or not _fits(vectors, of.spec.dimension)):
            here = "none is in use here" if of is None else f"this installation uses {of.spec.name}"
            self.copies_refused = f"copy embeddings are of another copy descriptor and were left out: {here}"
            vectors = {}
        if features and (not self._into.features or given.method != FEATURES_FINGERPRINT):
            self.copies_refused = self.copies_refused or "local features are of another version and were left out"
            features = {}
        return vectors, {sha256: codes for sha256, codes in features.items() if _readable(codes)}

    def _detector(self, session: Session) -> int:
        into = self._into
        return detectors.register(session, into.spec.name, into.fingerprint, into.spec.trained, into.spec.as_json())

    def _add_thumbnails(self, thumbnails: Mapping[str, bytes], counts: dict[str, int]) -> None:
        """Store missing thumbnails. Each is decoded and encoded again: bytes from outside are never kept."""
        into = self._into
        for sha256, data in thumbnails.items():
            if into.thumbnails.path(sha256).exists():
                continue
            try:
                small = make_thumbnail(decode(data, into.limits).rgb, into.thumbnail_size)
                into.thumbnails.put(sha256, small)
                counts["thumbnails_added"] += 1
            except ImageRejectedError:
                counts["thumbnails_rejected"] += 1
            except OSError as error:
                raise DejafakeError(
                    f"thumbnails cannot be written ({error.strerror or error}): free some space or check the disk "
                    f"and import again"
                ) from None


def newer_labels(said: Sequence[BundledLabel], history: Sequence[Statement]) -> tuple[tuple[StatedLabels, ...], int]:
    """The statements to add, with the times they were made; those older than what their source said here are left out.

    Args:
        history: the stored statements about the image, oldest first.

    Returns:
        The statements to add, and how many were left out as older.
    """
    groups: dict[tuple[LabelSource, str, str], list[BundledLabel]] = {}
    for label in said:
        groups.setdefault((label.source_kind, label.source.strip(), label.edition), []).append(label)
    here = {(statement.source_kind, statement.source, statement.edition) for statement in history}
    latest = {(statement.source_kind, statement.source): statement.since for statement in history}
    now = utc_now()
    stated, older = [], 0
    for (kind, source, edition), group in sorted(groups.items(), key=lambda pair: pair[1][0].stated_at):
        stated_at = min(group[0].stated_at, now)
        before = latest.get((kind, source), stated_at)
        if (kind, source, edition) in here:
            continue
        if stated_at < before:
            older += len(group)
            continue
        new = (
            NewLabel(
                earlier_label.value,
                kind,
                source,
                earlier_label.technique,
                earlier_label.generator,
                earlier_label.reason,
                edition,
            )
            for earlier_label in group
        )
        stated.append(StatedLabels(tuple(new), stated_at))
    return tuple(stated), older


def _fits(vectors: Mapping[str, Vector], dimension: int) -> bool:
    return all(len(vector) == dimension for vector in vectors.values())


def _readable(codes: bytes) -> bool:
    try:
        unpack(codes)
    except UsageError:
        return False
    return True


def _new_image(image: BundledImage) -> NewImage:
    return NewImage(
        **file_facts(image),
        pdq=bytes.fromhex(image.pdq),
        pdq_quality=image.pdq_quality,
        pdq_method=PdqMethod.of(image.pdq_method),
    )
