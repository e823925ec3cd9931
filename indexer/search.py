"""One query in, the nearest known images and a verdict out; used by the API, the CLI and enrichment alike.

Identity (same file, same picture) is looked up among images of every label; likeness (same origin) among known fakes
unless the caller widens it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from sqlalchemy.orm import Session

from indexer.active_calibration import ActiveCalibration
from indexer.answers import Comparison, SearchAnswer, SearchOptions
from indexer.calibration import CalibrationVersion
from indexer.catalog import embeddings, hash_lists, images, sightings
from indexer.catalog.database import Catalog
from indexer.catalog.records import ImageDetails, ImageFilter, KnownImage
from indexer.detector import ResolvedDetector
from indexer.detector.shared_passes import Seen, SharedPasses, rows_of
from indexer.errors import NotFoundError, UsageError
from indexer.file_origin import provenance_limits
from indexer.findings import CalibrationReference, find, score_statement
from indexer.heads import HeadStore
from indexer.imaging.decoding import DecodedImage
from indexer.index import SearchIndex
from indexer.limitations import LIMIT_LIKENESS, cosine_limits, detector_limits
from indexer.listed import ListedMatch, listed_matches
from indexer.matching import match_of, relation_scores, strength, thresholds_for
from indexer.probing import (
    MeasuredPicture,
    OpenedPicture,
    PreparedPicture,
    Probe,
    Prober,
    Stopwatch,
    Vector,
    of_embedding,
    of_hashes,
)
from indexer.relations import Thresholds
from indexer.settings import Settings
from indexer.verdict import IndexReference, Match, decide
from indexer.vocabulary import LabelValue

_DECIDING = 50
"""Near-identical pictures a verdict looks at, however few matches are to be shown: it must not depend on the limit."""

_AT_ONE_ADDRESS = 20
"""Most images of one address that are searched with: a page may show many."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What the catalogue holds of the candidates, by internal id, and of the query."""

    details: Mapping[int, ImageDetails]
    vectors: Mapping[int, Vector]
    listed: tuple[ListedMatch, ...]
    any_known_fake: bool


class Searcher:
    """Answers queries on one catalogue with one detector. Safe to share between threads.

    Args:
        catalog: the truth.
        index: the vector index of `resolved` over that catalogue.
        resolved: which detector is in use.
        passes: of that detector.
        settings: thresholds and limits.

    Attributes:
        calibration: the one its answers are read with.
    """

    def __init__(
        self,
        catalog: Catalog,
        index: SearchIndex,
        resolved: ResolvedDetector,
        passes: SharedPasses,
        settings: Settings,
    ) -> None:
        self._catalog = catalog
        self._index = index
        self._resolved = resolved
        self._settings = settings
        self._passes = passes
        self._prober = Prober(catalog, resolved, settings)
        self.calibration = ActiveCalibration(catalog, resolved)
        self._any_fake = (-1, False)
        self._heads = HeadStore.of(settings, resolved.fingerprint)

    def by_bytes(self, data: bytes, options: SearchOptions | None = None) -> SearchAnswer:
        """Search with the bytes of an image file.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
            UsageError: an option is out of range.
        """
        watch = Stopwatch()
        image = self.decode(data, watch)
        seen = self._passes.submit(self.pixels(image, watch))
        measured = self.measure(image, data, watch)
        return self.by_seen(measured, seen.result(), watch, options)

    def decode(self, data: bytes, watch: Stopwatch) -> DecodedImage:
        """The picture in the bytes of an image file: the first step of `by_bytes`, for who shares them out.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        return self._prober.decode(data, watch)

    def pixels(self, image: DecodedImage, watch: Stopwatch) -> Vector:
        """What the passes of the detector take [3, 384, 384], after `decode`."""
        return self._prober.pixels(image, watch)

    def measure(self, image: DecodedImage, data: bytes, watch: Stopwatch) -> MeasuredPicture:
        """Hashes and provenance, after `decode`; may run beside the detector's pass."""
        return self._prober.measure(image, data, watch)

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
            calibration = self._level()
        probe = self._prober.of_picture(measured, seen, calibration)
        return self._answer(probe, options or SearchOptions(), watch, calibration)

    def prepare(self, data: bytes) -> PreparedPicture:
        """Decodes and hashes the bytes of an image file for `by_pictures`; may run in any thread, ahead of it.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        watch = Stopwatch()
        image = self.decode(data, watch)
        return PreparedPicture(self.measure(image, data, watch), self.pixels(image, watch))

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
        seen = rows_of(self._passes.run(np.stack([picture.pixels for picture in pictures])))
        calibration = self._level()
        return [
            self._answer(
                self._prober.of_picture(picture.measured, one, calibration),
                options or SearchOptions(),
                Stopwatch(),
                calibration,
            )
            for picture, one in zip(pictures, seen, strict=True)
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
            probe = of_hashes(sha256, pdq)
        return self._answer(probe, options or SearchOptions(), Stopwatch(), self._level())

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
            probe, known = self._known(sha256)
            calibration = self._level()
        return self._answer(
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
        return self._answer(of_embedding(embedding), options or SearchOptions(), Stopwatch(), self._level())

    def by_pdq(self, pdq: str, options: SearchOptions | None = None) -> SearchAnswer:
        """Search with a PDQ hash of 64 hex digits, whose quality is taken on trust.

        Raises:
            UsageError: it is not 64 hex digits.
        """
        return self._answer(of_hashes(None, pdq), options or SearchOptions(), Stopwatch(), self._level())

    def probe(self, data: bytes) -> Probe:
        """The bytes of an image file reduced to what can be compared.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        (probe,) = self._probes([self.open(data)], None)
        return probe

    def probe_known(self, sha256: str) -> Probe:
        """An image of the catalogue reduced to what is stored of it.

        Raises:
            NotFoundError: no such image.
        """
        return self._known(sha256)[0]

    def thresholds(self) -> Thresholds:
        """What counts as the same picture and the same origin when a search says nothing else."""
        return self._thresholds(SearchOptions(), self.calibration.get())

    def open(self, data: bytes) -> OpenedPicture:
        """Decodes the bytes of an image file, for a comparison.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        return OpenedPicture(self.decode(data, Stopwatch()), data)

    def compare(self, a: OpenedPicture, b: OpenedPicture) -> Comparison:
        """All three relations between two pictures, known or not, and what each says of its own origin."""
        calibration = self.calibration.get()
        left, right = self._probes([a, b], calibration)
        return self._comparison(left, right, calibration)

    def compare_with_known(self, a: OpenedPicture, sha256: str) -> Comparison:
        """The same between a picture and an image of the catalogue, by what is stored of the latter.

        Raises:
            NotFoundError: no such image.
        """
        calibration = self.calibration.get()
        right, known = self._known(sha256)
        said = next((one for one in known.details.detections if one.fingerprint == self._resolved.fingerprint), None)
        finding = None
        if said is not None:
            finding = find(
                said.detector,
                said.fingerprint,
                trained=self._resolved.spec.trained,
                logits=said.logits,
                p_fake=said.p_fake,
                calibration=calibration,
            )
        (left,) = self._probes([a], calibration)
        return self._comparison(left, replace(right, finding=finding), calibration)

    def _known(self, sha256: str) -> tuple[Probe, KnownImage]:
        """An image of the catalogue by all that is stored of it, and the image.

        Raises:
            NotFoundError: no such image.
        """
        probe, known = self._prober.of_known(sha256)
        vectors = self._index.vectors_of([known.image_id])
        if not vectors:
            with self._catalog.reading() as session:
                vectors = embeddings.vectors(session, self._resolved.fingerprint, [known.image_id])
        return replace(probe, vector=vectors.get(known.image_id)), known

    def _probes(self, pictures: Sequence[OpenedPicture], calibration: CalibrationVersion | None) -> list[Probe]:
        watch = Stopwatch()
        seen = [self._passes.submit(self.pixels(one.image, watch)) for one in pictures]
        measured = [self._prober.measure(one.image, one.data, watch) for one in pictures]
        return [
            self._prober.of_picture(one, saw.result(), calibration) for one, saw in zip(measured, seen, strict=True)
        ]

    def _comparison(self, left: Probe, right: Probe, calibration: CalibrationVersion | None) -> Comparison:
        if left.finding is None:
            raise AssertionError("a decoded picture has a finding")
        thresholds = self._thresholds(SearchOptions(), calibration)
        scores = relation_scores(left, right.facts, right.hashes[0][1], right.vector, thresholds)
        limits = detector_limits(left.finding, calibration)
        if thresholds.trained:
            limits += cosine_limits(thresholds.origin)
        reference = None if calibration is None else CalibrationReference.of(calibration)
        return Comparison(
            a=left.facts,
            b=right.facts,
            scores=scores,
            findings=(left.finding, right.finding),
            statements=(
                score_statement(left.finding, reference),
                None if right.finding is None else score_statement(right.finding, reference),
            ),
            calibration=reference,
            provenance=(left.origin, right.origin),
            limitations=(*limits, *provenance_limits([*(left.origin or ()), *(right.origin or ())]), LIMIT_LIKENESS),
        )

    def _level(self) -> CalibrationVersion | None:
        """The calibration now in use, once the index has caught up with the catalogue."""
        self._index.refresh()
        return self.calibration.get(self._index.change_id)

    def _answer(
        self,
        probe: Probe,
        options: SearchOptions,
        watch: Stopwatch,
        calibration: CalibrationVersion | None,
        known: KnownImage | None = None,
        *,
        leave_itself_out: bool = False,
    ) -> SearchAnswer:
        """The answer to a probe, after `_level`; `known` is the image of the catalogue that it is of, where that was
        looked up."""
        thresholds = self._thresholds(options, calibration)
        limit = self._limit(options)
        readable = (probe.facts.pdq_quality or 0) >= thresholds.min_quality
        with watch.step("index"):
            found = self._candidates(probe, options, thresholds, limit + leave_itself_out, readable)
        with watch.step("catalogue"), self._catalog.reading() as session:
            if known is not None:
                same = [known.image_id]
            else:
                same = [] if probe.facts.sha256 is None else [*images.find_ids(session, [probe.facts.sha256]).values()]
            if leave_itself_out:
                found.difference_update(same)
            else:
                found.update(image_id for image_id in same if self._index.admits(image_id, options.filter))
            details = images.details(session, sorted(found))
            read = _Read(
                details,
                self._vectors(session, details.keys()),
                listed_matches(
                    session,
                    self._index,
                    options.filter,
                    sha256=probe.facts.sha256,
                    hashes=probe.hashes,
                    quality=probe.facts.pdq_quality or 0,
                    thresholds=thresholds,
                ),
                self._any_known_fake(session),
            )
        with watch.step("verdict"):
            heads = () if probe.vector is None else self._heads.findings(probe.vector)
            matches = self._matches(probe, read, thresholds)
            verdict = decide(
                matches,
                probe.finding,
                calibration=calibration,
                likeness_assessed=probe.vector is not None and thresholds.trained,
                pictures_assessed=bool(probe.hashes) and readable,
                any_known_fake=read.any_known_fake,
                index=IndexReference(
                    snapshot=self._index.snapshot_id, size=self._index.size, fingerprint=self._resolved.fingerprint
                ),
                input_sha256=probe.facts.sha256,
                decided_at=datetime.now(UTC),
                heads=heads,
                listed=read.listed,
                origin=probe.origin,
            )
        return SearchAnswer(
            query=probe.facts,
            verdict=verdict,
            detector=probe.finding,
            matches=tuple(matches[:limit]),
            milliseconds=watch.milliseconds,
            heads=heads,
            listed=read.listed,
            provenance=probe.origin or (),
        )

    def _vectors(self, session: Session, image_ids: Collection[int]) -> dict[int, Vector]:
        """The embeddings of those of these images that have one: from the index, the catalogue for what it lacks."""
        vectors = self._index.vectors_of([*image_ids])
        missing = [image_id for image_id in image_ids if image_id not in vectors]
        return vectors | (embeddings.vectors(session, self._resolved.fingerprint, missing) if missing else {})

    def _any_known_fake(self, session: Session) -> bool:
        """Whether there is any image or listed hash labelled fake; asked once a change of the catalogue."""
        change_id, answer = self._any_fake
        if change_id != self._index.change_id:
            change_id = self._index.change_id
            fakes = images.page(session, ImageFilter(label=LabelValue.FAKE), limit=1, cursor=None).items
            answer = bool(fakes) or hash_lists.any_of(session, LabelValue.FAKE)
            self._any_fake = change_id, answer
        return answer

    def _matches(self, probe: Probe, read: _Read, thresholds: Thresholds) -> list[Match]:
        found = (
            match_of(probe, record, read.vectors.get(image_id), thresholds) for image_id, record in read.details.items()
        )
        return sorted(found, key=strength)

    def _candidates(
        self, probe: Probe, options: SearchOptions, thresholds: Thresholds, limit: int, readable: bool
    ) -> set[int]:
        found: set[int] = set()
        if probe.hashes and readable:
            hits = self._index.same_picture([bits for _, bits in probe.hashes], thresholds.max_distance, options.filter)
            found.update(hit.image_id for hit in hits[: max(limit, _DECIDING)])
        if probe.vector is not None:
            likeness = options.filter
            if likeness.label is None:
                likeness = replace(likeness, label=options.likeness_label)
            nearest = self._index.nearest(probe.vector[None], limit, likeness)
            smallest = options.same_origin_min_cosine
            wanted = nearest.scores[0] >= (-1.0 if smallest is None else smallest)
            found.update(int(image_id) for image_id in nearest.ids[0][wanted] if image_id >= 0)
        return found

    def _limit(self, options: SearchOptions) -> int:
        limit = self._settings.search_limit if options.limit is None else options.limit
        if not 1 <= limit <= self._settings.search_limit_max:
            raise UsageError(f"limit is 1 to {self._settings.search_limit_max}, not {limit}")
        return limit

    def _thresholds(self, options: SearchOptions, calibration: CalibrationVersion | None) -> Thresholds:
        return thresholds_for(options, self._settings, self._resolved.spec, calibration)
