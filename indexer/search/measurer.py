"""From pictures, at hand or in the catalogue, to what can be compared: each step by itself.

In which order the steps come, and where each runs, lives in `indexer.search.steps`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from indexer.arrays import Vectors
from indexer.calibration import CalibrationVersion
from indexer.catalog.database import Catalog
from indexer.catalog.images import images
from indexer.catalog.records.images import KnownImage
from indexer.copies.descriptor import ResolvedDescriptor
from indexer.copies.views import View, ViewKind, views
from indexer.detector import ResolvedDetector
from indexer.detector.preprocessing import prepare
from indexer.detector.shared_passes import Seen
from indexer.errors import NotFoundError
from indexer.imaging.content import content_of, has_too_little
from indexer.imaging.decoding import DecodedImage, decode
from indexer.imaging.hashing import UPRIGHT, QueryHash, negative, query_hashes
from indexer.imaging.limits import ImageLimits
from indexer.provenance import ProvenanceLimits, read_provenance
from indexer.provenance.recording import as_findings
from indexer.search.answers import QueryFacts
from indexer.search.details import Sketch
from indexer.search.probe import CopyEmbeddings, MeasuredPicture, ModelInput, OpenedPicture, Probe
from indexer.search.stopwatch import Stopwatch
from indexer.settings import Settings
from indexer.verdict.findings import find
from indexer.verdict.limitations import LIMIT_TOO_LITTLE
from indexer.vocabulary import PdqMethod


class Measurer:
    """Measures pictures for one detector and copy descriptor; arguments as of `Searcher`. Safe to share between
    threads."""

    def __init__(
        self,
        catalog: Catalog,
        resolved: ResolvedDetector,
        descriptor: ResolvedDescriptor | None,
        settings: Settings,
    ) -> None:
        self._catalog = catalog
        self._resolved = resolved
        self._descriptor = descriptor
        self._min_quality = settings.pdq_min_quality
        self._features = settings.local_features
        self._limits = ImageLimits.from_settings(settings)
        self._provenance_limits = ProvenanceLimits.from_settings(settings)

    def decode(self, data: bytes, watch: Stopwatch) -> DecodedImage:
        """The picture in the bytes of an image file.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        with watch.step("decode"):
            return decode(data, self._limits)

    def views(self, image: DecodedImage, watch: Stopwatch) -> tuple[View, ...]:
        """The views of a decoded picture to ask with beside itself: what is inside its frames. Its halves and quarters
        only where local features do not find what it shares with others."""
        with watch.step("views"):
            every = views(image.rgb)
            return tuple(view for view in every if view.kind is ViewKind.INNER or not self._features)

    def measure(self, picture: OpenedPicture, views: Sequence[View], watch: Stopwatch) -> MeasuredPicture:
        """Hashes a decoded picture and what its trimmed views show, and reads what its file says of its origin."""
        image = picture.image
        with watch.step("hash"):
            hashed = query_hashes(image.rgb)
            trimmed = [query for view in views if view.kind is ViewKind.INNER for query in self._trimmed_hashes(view)]
        with watch.step("provenance"):
            origin = as_findings(read_provenance(picture.data, self._provenance_limits, image))
        facts = QueryFacts(
            kind="image",
            sha256=image.sha256,
            pdq=hashed.reference.hex,
            pdq_quality=hashed.reference.quality,
            pdq_method=PdqMethod.REFERENCE,
            format=image.format,
            width=image.width,
            height=image.height,
            notes=image.notes,
            content=content_of(image.rgb),
            missing=image.missing,
        )
        return MeasuredPicture(
            facts,
            (*hashed.queries, *trimmed, negative(hashed.queries[0])),
            origin,
            whole=(True, *(view.kind is ViewKind.INNER for view in views)),
            sketch=Sketch.of(image.rgb) if self._features else None,
            inner=next((view.box for view in views if view.kind is ViewKind.INNER), None),
        )

    def _trimmed_hashes(self, view: View) -> list[QueryHash]:
        """The hashes of a picture without its borders; none where what is left says too little."""
        hashed = query_hashes(view.rgb)
        quality = hashed.reference.quality
        if quality < self._min_quality or has_too_little(content_of(view.rgb), quality):
            return []
        return [
            replace(query, orientation="trimmed" if query.orientation == UPRIGHT else f"trimmed, {query.orientation}")
            for query in hashed.queries
        ]

    def inputs(self, image: DecodedImage, views: Sequence[View], watch: Stopwatch) -> ModelInput:
        """What the models see of a decoded picture; does not wait for them to be loaded."""
        with watch.step("prepare"):
            pixels = prepare(image.rgb, self._resolved.spec.preprocessing)
            if self._descriptor is None:
                return ModelInput(pixels, None)
            how = self._descriptor.spec.preprocessing
            return ModelInput(
                pixels, np.stack([prepare(rgb, how) for rgb in (image.rgb, *(view.rgb for view in views))])
            )

    def of_picture(self, measured: MeasuredPicture, seen: Seen, calibration: CalibrationVersion | None) -> Probe:
        """A picture with what the models saw in it."""
        trained = self._resolved.spec.trained
        blank = _blank(measured.facts)
        return Probe(
            facts=measured.facts,
            hashes=() if blank else measured.hashes,
            vector=None if blank else seen.embedding,
            finding=find(
                self._resolved.spec.name,
                self._resolved.fingerprint,
                trained=trained,
                logits=seen.logits,
                p_fake=seen.p_fake if trained else None,
                calibration=calibration,
            ),
            origin=measured.origin,
            unassessable=blank,
            copies=None if blank or seen.copies is None else self.copies(seen.copies, measured.whole),
            details=None if blank or measured.sketch is None else measured.sketch.details,
            small=None if measured.sketch is None else measured.sketch.picture,
            inner=measured.inner,
        )

    def copies(self, vectors: Vectors, whole: tuple[bool, ...] = (True,)) -> CopyEmbeddings:
        """Copy embeddings [V, D] of the views of a query, with what is taken from their cosines."""
        background = None if self._descriptor is None else self._descriptor.background()
        levels = np.zeros(len(vectors), np.float32) if background is None else background.level(vectors)
        return CopyEmbeddings(vectors, levels, whole)

    def of_known(self, sha256: str) -> tuple[Probe, KnownImage]:
        """An image of the catalogue, by what is stored of it but its embedding, and the image.

        Raises:
            NotFoundError: no such image.
        """
        with self._catalog.reading() as session:
            known = images.known(session, sha256)
        if known is None:
            raise NotFoundError(f"no image {sha256} in this catalogue: check the SHA-256")
        image = known.details.image
        facts = QueryFacts(
            kind="image_id",
            sha256=sha256,
            pdq=image.pdq,
            pdq_quality=image.pdq_quality,
            pdq_method=image.pdq_method,
            format=image.format,
            width=image.width,
            height=image.height,
            notes=image.notes,
            content=image.content,
        )
        blank = _blank(facts)
        hashes = () if blank else (QueryHash(UPRIGHT, bytes.fromhex(image.pdq)),)
        looked = known.details.provenance or known.details.provenance_read_at is not None
        origin = known.details.provenance if looked else None
        return Probe(facts=facts, hashes=hashes, origin=origin, unassessable=blank), known


def _blank(facts: QueryFacts) -> str | None:
    return LIMIT_TOO_LITTLE if has_too_little(facts.content, facts.pdq_quality) else None
