"""Source -> decode -> detect -> catalogue: how pictures get in.

Worker threads read, hash, decode and prepare while the model runs; every batch is one transaction, so a killed run
leaves nothing half-written and the next one finishes the job. The vector index catches up by itself.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from indexer.catalog import collections, detectors, embeddings, images, labels, provenance, sightings, sources
from indexer.catalog.database import Catalog
from indexer.catalog.records import NewDetection, NewImage, NewLabel, NewSighting, NewSource, ProvenanceFinding
from indexer.detector import DetectorSpec
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.file_origin import as_findings
from indexer.imaging.decoding import DecodedImage, decode, sha256_hex
from indexer.imaging.hashing import PDQ_METHOD, PdqHash, pdq_hash
from indexer.imaging.limits import ImageLimits
from indexer.imaging.media import MediaStore
from indexer.imaging.thumbnails import make_thumbnail
from indexer.ingest_report import IngestOptions, IngestReport, ItemOutcome, Tally
from indexer.prefetch import prepared_ahead
from indexer.provenance import ProvenanceLimits, read_provenance
from indexer.settings import Settings
from indexer.sources.items import SourceItem, SourceRejection
from indexer.vocabulary import Technique

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector, DetectorOutput

_KNOWN_PER_TRANSACTION = 256
"""Most images that are already known to be written in one transaction; new ones come in batches of the model."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture ready for the catalogue and the model. `pixels` [3, 384, 384] float32; `origin` is what its file says
    about its own origin."""

    image: NewImage
    pixels: npt.NDArray[np.float32]
    origin: tuple[ProvenanceFinding, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An item whose bytes were read. `picture` is None when the catalogue holds its image and embedding already, and
    `origin` when it knows what the file says about its own origin too."""

    item: SourceItem
    sha256: str
    picture: _Picture | None
    origin: tuple[ProvenanceFinding, ...] | None


class Ingest:
    """One run of the pipeline into one catalogue.

    Args:
        catalog: where everything but the files goes.
        detector: gives the embeddings.
        originals, thumbnails: where files go; originals are kept only if the settings say so.
        settings: limits, batch size, workers.
        options: what to add to what the source says.
        run: makes the passes in place of the detector's own `run`, where others wait for it too. Either is called in
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
        run: "Callable[[npt.NDArray[np.float32]], DetectorOutput] | None" = None,
    ) -> None:
        self._catalog = catalog
        self._run = run or detector.run
        self._detector = detector
        self._originals = originals
        self._thumbnails = thumbnails
        self._settings = settings
        self._options = options
        self._limits = ImageLimits.from_settings(settings)
        self._provenance_limits = ProvenanceLimits.from_settings(settings)
        self._detector_id = 0

    def run(
        self,
        items: Iterable[SourceItem | SourceRejection],
        observe: Callable[[ItemOutcome], None] | None = None,
    ) -> IngestReport:
        """Ingests all items; `observe` hears of each when it is safely in the catalogue, or rejected.

        Raises:
            DejafakeError: files or catalogue cannot be written (a full disk), or the detector fails. What was
                observed before is safe; running again finishes the job.
        """
        started = perf_counter()
        tally = Tally(self._settings.reports_dir if self._options.list_rejected else None)
        self._register()
        try:
            for batch in self._batches(self._prepared(items)):
                for outcome in self._store(batch, tally):
                    tally.count(outcome)
                    if observe is not None:
                        observe(outcome)
        finally:
            tally.close()
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
            for name in self._options.collections:
                collections.ensure(session, name)

    def _prepared(self, items: Iterable[SourceItem | SourceRejection]) -> Iterator[_Prepared | SourceRejection]:
        """Prepares items in worker threads, a bounded window ahead, and yields them in their own order."""
        window = self._settings.decode_workers + 2 * self._settings.batch_size
        return prepared_ahead(self._prepare, items, workers=self._settings.decode_workers, window=window)

    def _prepare(self, item: SourceItem | SourceRejection) -> _Prepared | SourceRejection:
        if isinstance(item, SourceRejection):
            return item
        try:
            data = item.read()
            sha256 = sha256_hex(data)
            if item.expected_sha256 not in (None, sha256):
                raise ImageRejectedError(
                    "sha256_mismatch", f"the bytes have SHA-256 {sha256}, not the one the list gives"
                )
            known, told = self._standing(sha256)
            if known:
                return _Prepared(item, sha256, None, None if told else self._origin(data, None))
            picture = self._picture(data, sha256)
            return _Prepared(item, sha256, picture, picture.origin)
        except ImageRejectedError as error:
            return SourceRejection(item.source, item.location, error.reason, str(error))

    def _standing(self, sha256: str) -> tuple[bool, bool]:
        """Whether the catalogue holds an image with its embedding, and whether its file was read for its origin."""
        with self._catalog.reading() as session:
            ids = list(images.find_ids(session, [sha256]).values())
            if not ids:
                return False, False
            known = bool(embeddings.having(session, self._detector.fingerprint, ids))
            return known, not provenance.unread(session, ids)

    def _picture(self, data: bytes, sha256: str) -> _Picture:
        image = decode(data, self._limits, sha256)
        pdq = pdq_hash(image.rgb)
        self._keep(image.sha256, data, make_thumbnail(image.rgb, self._settings.thumbnail_size))
        pixels = self._detector.prepare(image.rgb)
        return _Picture(image=new_image(image, pdq), pixels=pixels, origin=self._origin(data, image))

    def _origin(self, data: bytes, picture: DecodedImage | None) -> tuple[ProvenanceFinding, ...]:
        return as_findings(read_provenance(data, self._provenance_limits, picture))

    def _keep(self, sha256: str, data: bytes, thumbnail: bytes) -> None:
        """Writes an image's files before the catalogue knows it: a file too many does no harm, one missing would."""
        try:
            if self._settings.keep_originals:
                self._originals.put(sha256, data)
            self._thumbnails.put(sha256, thumbnail)
        except OSError as error:
            raise DejafakeError(
                f"{self._settings.home} cannot be written ({error.strerror or error}): free or mend the disk and run "
                "the same command again; what was ingested so far is safe"
            ) from None

    def _batches(self, prepared: Iterable[_Prepared | SourceRejection]) -> Iterator[list[_Prepared | SourceRejection]]:
        """Groups items so that each group holds at most one batch of different new pictures."""
        batch: list[_Prepared | SourceRejection] = []
        new: set[str] = set()
        for item in prepared:
            batch.append(item)
            if isinstance(item, _Prepared) and item.picture is not None:
                new.add(item.sha256)
            if len(new) >= self._settings.batch_size or len(batch) >= _KNOWN_PER_TRANSACTION:
                yield batch
                batch, new = [], set()
        if batch:
            yield batch

    def _store(self, batch: list[_Prepared | SourceRejection], tally: Tally) -> list[ItemOutcome]:
        """Embeds the new pictures of a batch in one forward pass and writes the batch in one transaction."""
        pictures = {item.sha256: item.picture for item in batch if isinstance(item, _Prepared) and item.picture}
        detections = self._detect(pictures)
        outcomes = []
        with self._catalog.writing() as session:
            ids = images.find_ids(session, [item.sha256 for item in batch if isinstance(item, _Prepared)])
            embedded = embeddings.having(session, self._detector.fingerprint, list(ids.values()))
            untold = provenance.unread(session, list(ids.values()))
            for item in batch:
                if isinstance(item, SourceRejection):
                    outcomes.append(_rejected(item))
                    continue
                status = "known"
                if item.sha256 not in ids:
                    if item.picture is None:  # deleted by someone between reading and writing
                        outcomes.append(_rejected(_vanished(item)))
                        continue
                    ids[item.sha256] = images.add(session, item.picture.image)
                    untold.add(ids[item.sha256])
                    status = "added"
                image_id = ids[item.sha256]
                if image_id in untold and item.origin is not None:
                    provenance.record(session, image_id, item.origin)
                    untold.discard(image_id)
                if image_id not in embedded and item.sha256 in detections:
                    embeddings.add(session, self._detector_id, [(image_id, detections[item.sha256])])
                    embedded.add(image_id)
                disputed = self._describe(session, image_id, item.item, tally)
                outcomes.append(
                    ItemOutcome(item.item.source, item.item.location, status, item.sha256, disputed=disputed)
                )
        return outcomes

    def _detect(self, pictures: dict[str, _Picture]) -> dict[str, NewDetection]:
        if not pictures:
            return {}
        output = self._run(np.stack([picture.pixels for picture in pictures.values()]))
        return dict(zip(pictures, detections_of(output, self._detector.spec), strict=True))

    def _describe(self, session: Session, image_id: int, item: SourceItem, tally: Tally) -> bool:
        """Writes what the source says of an image; returns whether its labels now disagree."""
        options = self._options
        sources.add(session, image_id, NewSource(item.source, item.location, item.fields))
        for name in (*options.collections, *item.collections):
            collections.ensure(session, name)
            collections.add_images(session, name, [image_id])
        if item.sighting is not None:
            tally.sightings += sightings.add(session, image_id, [NewSighting(**asdict(item.sighting))])
        value = item.value or options.label
        if value is None:
            return labels.current(session, image_id).disputed
        label = NewLabel(
            value=value,
            source_kind=options.source_kind,
            source=options.stated_by or item.source,
            technique=item.technique if item.technique is not Technique.UNKNOWN else options.technique,
            generator=item.generator or options.generator,
            reason=item.label_reason,
            edition=item.edition,
        )
        tally.labels += labels.state(session, image_id, [label])
        return labels.current(session, image_id).disputed


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


def new_image(image: DecodedImage, pdq: PdqHash) -> NewImage:
    """What the catalogue keeps of a decoded picture and its hash."""
    return NewImage(
        sha256=image.sha256,
        byte_size=image.byte_size,
        format=image.format,
        width=image.width,
        height=image.height,
        mode=image.mode,
        frames=image.frames,
        notes=image.notes,
        pdq=pdq.bits,
        pdq_quality=pdq.quality,
        pdq_method=PDQ_METHOD,
    )


def _rejected(item: SourceRejection) -> ItemOutcome:
    return ItemOutcome(item.source, item.location, "rejected", reason=item.reason, message=item.message)


def _vanished(item: _Prepared) -> SourceRejection:
    return SourceRejection(
        item.item.source, item.item.location, "deleted", "the image was deleted during the ingest: ingest it again"
    )
