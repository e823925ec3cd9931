"""A bundle into a catalogue: one transaction a part, in any order of runs, with everybody's labels under their name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from indexer.catalog import (
    Catalog,
    collections,
    detectors,
    embeddings,
    images,
    label_history,
    labels,
    provenance,
    sightings,
    sources,
)
from indexer.catalog.label_history import Statement
from indexer.catalog.records import NewDetection, NewImage, NewLabel, NewSighting, NewSource
from indexer.catalog.types import utc_now
from indexer.detector import DetectorSpec
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.exchange.bundle.layout import BundledImage, BundledLabel
from indexer.exchange.bundle.provenance import unverified
from indexer.exchange.bundle.reading import Bundle, Part
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.imaging.media import MediaStore
from indexer.imaging.thumbnails import make_thumbnail
from indexer.vocabulary import LabelSource


@dataclass(frozen=True, slots=True)
class BundleImport:
    """What an import did. `labels_older`: statements left out because their source said something later that is here
    already. `provenance_added`: images of which it is now known what their file says of its origin.
    `embeddings_refused`: why embeddings were left out, None when they were taken or there were none."""

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
    embeddings_refused: str | None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a bundle goes: the catalogue, the detector in use there, where thumbnails lie and how large they are."""

    catalog: Catalog
    spec: DetectorSpec
    fingerprint: str
    thumbnails: MediaStore
    thumbnail_size: int
    limits: ImageLimits


def import_bundle(
    bundle: Bundle, name: str, into: Destination, *, observe: Callable[[int], None] = lambda _: None
) -> BundleImport:
    """Add what a bundle holds. All of it is verified before anything is written; importing again changes nothing.

    Labels keep their source, kind, time and edition, so that the precedence is what it would be if all had been
    stated here. What files say of their origin is taken where nothing is known of that, as told and not verified.
    Embeddings of another detector than the one in use are refused, and everything else is kept.

    Args:
        name: of the file, which becomes a source of its images.
        observe: told how many images are just safely in the catalogue.

    Raises:
        SourceError: the bundle is not sound; nothing was written.
        DejafakeError: catalogue or thumbnails cannot be written; what was observed is safe, and importing again
            finishes the job.
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
    return BundleImport(bundle=bundle.digest, images=bundle.manifest.images, embeddings_refused=refused, **run.counts)


class _Run:
    def __init__(self, name: str, into: Destination, *, embeds: bool) -> None:
        self._name = name
        self._into = into
        self.embeds = embeds
        self.counts = dict.fromkeys(
            (
                "images_added",
                "labels_added",
                "labels_older",
                "sightings_added",
                "provenance_added",
                "embeddings_added",
                "thumbnails_added",
                "thumbnails_rejected",
            ),
            0,
        )

    def add(self, part: Part) -> None:
        """Write a part: files first, a file too many does no harm, then one transaction."""
        counts = dict.fromkeys(self.counts, 0)
        self._add_thumbnails(part.thumbnails, counts)
        with self._into.catalog.writing() as session:
            known = images.find_ids(session, [image.sha256 for image in part.images])
            history = label_history.statements(session, list(known.values()))
            ids = {}
            for image in part.images:
                image_id = known.get(image.sha256) or images.add(session, _new_image(image))
                ids[image.sha256] = image_id
                self._describe(session, image_id, image, history.get(image_id, ()), counts)
            counts["images_added"] = len(set(ids) - set(known))
            counts["provenance_added"] = self._tell(session, part, ids)
            if self.embeds and len(part.vectors):
                counts["embeddings_added"] = self._embed(session, part, ids)
        for what, count in counts.items():
            self.counts[what] += count

    def _describe(
        self,
        session: Session,
        image_id: int,
        image: BundledImage,
        history: Sequence[Statement],
        counts: dict[str, int],
    ) -> None:
        for source in image.sources:
            sources.add(session, image_id, NewSource(source.source, source.location, source.fields))
        sources.add(session, image_id, NewSource(self._name, image.sha256))
        for collection in image.collections:
            collections.ensure(session, collection)
            collections.add_images(session, collection, [image_id])
        seen = [NewSighting(**sighting.model_dump()) for sighting in image.sightings]
        counts["sightings_added"] += sightings.add(session, image_id, seen)
        added, older = merge_labels(session, image_id, image.labels, history)
        counts["labels_added"] += added
        counts["labels_older"] += older

    def _tell(self, session: Session, part: Part, ids: Mapping[str, int]) -> int:
        told = {ids[image.sha256]: image.provenance for image in part.images if image.provenance}
        unknown = provenance.untold(session, list(told))
        for image_id in sorted(unknown):
            provenance.take_over(session, image_id, [unverified(finding) for finding in told[image_id]])
        return len(unknown)

    def _embed(self, session: Session, part: Part, ids: Mapping[str, int]) -> int:
        into = self._into
        detector_id = detectors.register(
            session, into.spec.name, into.fingerprint, into.spec.trained, into.spec.as_json()
        )
        said = [(image.sha256, image.detection) for image in part.images if image.detection is not None]
        rows = [
            (ids[sha256], NewDetection(vector, one.logits, one.p_fake if into.spec.trained else None))
            for (sha256, one), vector in zip(said, part.vectors, strict=True)
        ]
        return embeddings.add(session, detector_id, rows)

    def _add_thumbnails(self, thumbnails: Mapping[str, bytes], counts: dict[str, int]) -> None:
        """Keep pictures that are missing here. Each is decoded and made anew: nothing from outside is kept as it is."""
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
                    f"thumbnails cannot be written ({error.strerror or error}): free or mend the disk and import again"
                ) from None


def merge_labels(
    session: Session, image_id: int, said: Sequence[BundledLabel], history: Sequence[Statement]
) -> tuple[int, int]:
    """State what others stated, as of when they did, unless their source said something later that is here already.

    Args:
        history: the statements about the image that are here, oldest first.

    Returns:
        How many statements were added, and how many were left out as older.
    """
    groups: dict[tuple[LabelSource, str, str], list[BundledLabel]] = {}
    for label in said:
        groups.setdefault((label.source_kind, label.source.strip(), label.edition), []).append(label)
    here = {(made.source_kind, made.source, made.edition) for made in history}
    latest = {(made.source_kind, made.source): made.since for made in history}
    now = utc_now()
    added = older = 0
    for (kind, source, edition), group in sorted(groups.items(), key=lambda pair: pair[1][0].stated_at):
        stated_at = min(group[0].stated_at, now)
        before = latest.get((kind, source), stated_at)
        if (kind, source, edition) in here:
            continue
        if stated_at < before:
            older += len(group)
            continue
        new = [NewLabel(one.value, kind, source, one.technique, one.generator, one.reason, edition) for one in group]
        added += labels.state(session, image_id, new, stated_at=stated_at)
    return added, older


def _new_image(image: BundledImage) -> NewImage:
    return NewImage(
        sha256=image.sha256,
        byte_size=image.byte_size,
        format=image.format,
        width=image.width,
        height=image.height,
        mode=image.mode,
        frames=image.frames,
        notes=image.notes,
        pdq=bytes.fromhex(image.pdq),
        pdq_quality=image.pdq_quality,
        pdq_method=image.pdq_method,
    )
