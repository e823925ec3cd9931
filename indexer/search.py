"""One query in, the nearest known images and a verdict out; used by the API, the CLI and enrichment alike.

Identity (same file, same picture) is looked up among images of every label; likeness (same origin) among known fakes
unless the caller widens it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer import relations
from indexer.active_calibration import ActiveCalibration
from indexer.answers import Comparison, QueryFacts, SearchAnswer, SearchOptions
from indexer.calibration import CalibrationVersion
from indexer.catalog import embeddings, hash_lists, images
from indexer.catalog.database import Catalog
from indexer.catalog.records import Image, ImageDetails, ImageFilter, ProvenanceFinding
from indexer.detector import ResolvedDetector
from indexer.errors import NotFoundError, UsageError
from indexer.file_origin import as_findings
from indexer.findings import CalibrationReference, DetectorFinding, find, score_statement
from indexer.heads import HeadStore
from indexer.imaging.decoding import decode
from indexer.imaging.hashing import PdqHash, pdq_dihedrals
from indexer.imaging.limits import ImageLimits
from indexer.index import SearchIndex
from indexer.limitations import LIMIT_LIKENESS, cosine_limits, detector_limits
from indexer.listed import listed_matches
from indexer.provenance import ProvenanceLimits, read_provenance
from indexer.relations import RelationScore, Thresholds
from indexer.settings import Settings
from indexer.verdict import IndexReference, Match, decide
from indexer.vocabulary import LabelValue, Relation

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector

Vector = npt.NDArray[np.float32]

_DIMENSION = 384
_DECIDING = 50
"""Near-identical pictures a verdict looks at, however few matches are to be shown: it must not depend on the limit."""

_RANK = {Relation.SAME_FILE: 0, Relation.SAME_PICTURE: 1, Relation.SAME_ORIGIN: 2}


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """A picture decoded and hashed, waiting for the model. `hashes` are PDQ by orientation, `original` first; `pixels`
    [3, 384, 384] float32; `origin` is what its file says of itself."""

    facts: QueryFacts
    hashes: tuple[tuple[str, PdqHash], ...]
    pixels: Vector
    origin: tuple[ProvenanceFinding, ...]


@dataclass(frozen=True, slots=True)
class _Probe:
    """A query reduced to what can be compared. `hashes` pairs each PDQ orientation's name with its 32 bytes; `origin`
    is what its file says of itself, None when there is no file."""

    facts: QueryFacts
    hashes: tuple[tuple[str, bytes], ...] = ()
    vector: Vector | None = None
    finding: DetectorFinding | None = None
    origin: tuple[ProvenanceFinding, ...] | None = None


class _Stopwatch:
    """Collects how long the named steps of one query took; a step that comes twice is summed."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            took = (perf_counter() - started) * 1000
            self.milliseconds[name] = round(self.milliseconds.get(name, 0.0) + took, 3)


class Searcher:
    """Answers queries on one catalogue with one detector. Safe to share between threads.

    Args:
        catalog: the truth.
        index: the vector index of `resolved` over that catalogue.
        resolved: which detector is in use.
        load: gives it loaded; called only when a picture must be embedded, so it may take its time once.
        settings: thresholds and limits.

    Attributes:
        calibration: the one its answers are read with.
    """

    def __init__(
        self,
        catalog: Catalog,
        index: SearchIndex,
        resolved: ResolvedDetector,
        load: "Callable[[], Detector]",
        settings: Settings,
    ) -> None:
        self._catalog = catalog
        self._index = index
        self._resolved = resolved
        self._load = load
        self._settings = settings
        self._limits = ImageLimits.from_settings(settings)
        self._provenance_limits = ProvenanceLimits.from_settings(settings)
        self.calibration = ActiveCalibration(catalog, resolved)
        self._heads = HeadStore.of(settings, resolved.fingerprint)

    def by_bytes(self, data: bytes, options: SearchOptions | None = None) -> SearchAnswer:
        """Search with the bytes of an image file.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
            UsageError: an option is out of range.
        """
        watch = _Stopwatch()
        with watch.step("catalogue"):
            calibration = self.calibration.get()
        return self._answer(self._probe(data, watch, calibration), options or SearchOptions(), watch, calibration)

    def prepare(self, data: bytes) -> PreparedPicture:
        """Decodes and hashes the bytes of an image file for `by_pictures`; may run in any thread, ahead of it.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        return self._prepared(data, _Stopwatch())

    def by_pictures(
        self, pictures: Sequence[PreparedPicture], options: SearchOptions | None = None
    ) -> list[SearchAnswer]:
        """Search with several pictures, in their order, that go through the detector together.

        Raises:
            UsageError: an option is out of range.
        """
        watch = _Stopwatch()
        with watch.step("catalogue"):
            calibration = self.calibration.get()
        probes = self._probes(pictures, watch, calibration)
        return [self._answer(probe, options or SearchOptions(), _Stopwatch(), calibration) for probe in probes]

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
            hashed = None if pdq is None else _pdq_of(pdq)
        probe = _Probe(facts=QueryFacts(kind="sha256", sha256=sha256))
        if hashed is not None:
            facts = QueryFacts(kind="pdq", sha256=sha256, pdq=hashed.hex, pdq_quality=hashed.quality)
            probe = _Probe(facts=facts, hashes=(("original", hashed.bits),))
        return self._answer(probe, options or SearchOptions(), _Stopwatch(), self.calibration.get())

    def by_sha256(self, sha256: str, options: SearchOptions | None = None) -> SearchAnswer:
        """Search with an image of the catalogue, by what is stored of it; its original is not needed.

        Raises:
            NotFoundError: no such image.
            UsageError: an option is out of range.
        """
        watch = _Stopwatch()
        with watch.step("catalogue"):
            probe, _ = self._stored(sha256)
        return self._answer(probe, options or SearchOptions(), watch, self.calibration.get())

    def by_embedding(self, embedding: Sequence[float], options: SearchOptions | None = None) -> SearchAnswer:
        """Search with an embedding of the detector in use; it is L2-normalised here.

        Raises:
            UsageError: it has not 384 finite numbers, or is all zero.
        """
        vector = np.asarray(embedding, dtype=np.float32)
        norm = float(np.linalg.norm(vector)) if vector.shape == (_DIMENSION,) else float("nan")
        if not np.isfinite(norm) or norm == 0.0:
            raise UsageError(f"an embedding is {_DIMENSION} finite numbers that are not all zero")
        probe = _Probe(facts=QueryFacts(kind="embedding"), vector=vector / np.float32(norm))
        return self._answer(probe, options or SearchOptions(), _Stopwatch(), self.calibration.get())

    def by_pdq(self, pdq: str, options: SearchOptions | None = None) -> SearchAnswer:
        """Search with a PDQ hash of 64 hex digits, whose quality is taken on trust.

        Raises:
            UsageError: it is not 64 hex digits.
        """
        hashed = _pdq_of(pdq)
        facts = QueryFacts(kind="pdq", pdq=hashed.hex, pdq_quality=hashed.quality)
        probe = _Probe(facts=facts, hashes=(("original", hashed.bits),))
        return self._answer(probe, options or SearchOptions(), _Stopwatch(), self.calibration.get())

    def compare(self, a: bytes, b: bytes) -> Comparison:
        """All three relations between two pictures, known or not.

        Raises:
            ImageRejectedError: one of them is not a picture that is accepted; the message says which.
        """
        calibration = self.calibration.get()
        left, right = self._probe(a, _Stopwatch(), calibration), self._probe(b, _Stopwatch(), calibration)
        return self._comparison(left, right, calibration)

    def compare_with_known(self, a: bytes, sha256: str) -> Comparison:
        """All three relations between a picture and an image of the catalogue, by what is stored of the latter.

        Raises:
            ImageRejectedError: `a` is not a picture that is accepted.
            NotFoundError: no such image.
        """
        calibration = self.calibration.get()
        known, details = self._stored(sha256)
        said = next((one for one in details.detections if one.fingerprint == self._resolved.fingerprint), None)
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
        return self._comparison(self._probe(a, _Stopwatch(), calibration), replace(known, finding=finding), calibration)

    def _comparison(self, left: _Probe, right: _Probe, calibration: CalibrationVersion | None) -> Comparison:
        if left.finding is None:
            raise AssertionError("a decoded picture has a finding")
        thresholds = self._thresholds(SearchOptions(), calibration)
        scores = self._scores(left, right.facts, right.hashes[0][1], right.vector, thresholds)
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
            limitations=(*limits, LIMIT_LIKENESS),
        )

    def _stored(self, sha256: str) -> tuple[_Probe, ImageDetails]:
        """An image of the catalogue as a query, by what is stored of it.

        Raises:
            NotFoundError: no such image.
        """
        with self._catalog.reading() as session:
            ids = images.find_ids(session, [sha256])
            if sha256 not in ids:
                raise NotFoundError(f"no image {sha256} in this catalogue: check the SHA-256")
            details = images.details(session, [ids[sha256]])[ids[sha256]]
            stored = embeddings.vectors(session, self._resolved.fingerprint, [ids[sha256]])
        image = details.image
        facts = QueryFacts(
            kind="image_id",
            sha256=sha256,
            pdq=image.pdq,
            pdq_quality=image.pdq_quality,
            format=image.format,
            width=image.width,
            height=image.height,
            notes=image.notes,
        )
        hashes = (("original", bytes.fromhex(image.pdq)),)
        origin = details.provenance if details.provenance_read_at is not None else None
        return _Probe(facts=facts, hashes=hashes, vector=stored.get(ids[sha256]), origin=origin), details

    def _probe(self, data: bytes, watch: _Stopwatch, calibration: CalibrationVersion | None) -> _Probe:
        (probe,) = self._probes([self._prepared(data, watch)], watch, calibration)
        return probe

    def _prepared(self, data: bytes, watch: _Stopwatch) -> PreparedPicture:
        with watch.step("decode"):
            image = decode(data, self._limits)
        with watch.step("provenance"):
            origin = as_findings(read_provenance(data, self._provenance_limits, image.rgb))
        with watch.step("hash"):
            hashes = pdq_dihedrals(image.rgb)
        with watch.step("model"):
            pixels = self._load().prepare(image.rgb)
        original = hashes[0][1]
        facts = QueryFacts(
            kind="image",
            sha256=image.sha256,
            pdq=original.hex,
            pdq_quality=original.quality,
            format=image.format,
            width=image.width,
            height=image.height,
            notes=image.notes,
        )
        return PreparedPicture(facts, hashes, pixels, origin)

    def _probes(
        self, pictures: Sequence[PreparedPicture], watch: _Stopwatch, calibration: CalibrationVersion | None
    ) -> list[_Probe]:
        """The pictures after one forward pass of the detector."""
        if not pictures:
            return []
        with watch.step("model"):
            output = self._load().run(np.stack([picture.pixels for picture in pictures]))
        trained = self._resolved.spec.trained
        return [
            _Probe(
                facts=picture.facts,
                hashes=tuple((name, pdq.bits) for name, pdq in picture.hashes),
                vector=output.embeddings[row],
                finding=find(
                    self._resolved.spec.name,
                    self._resolved.fingerprint,
                    trained=trained,
                    logits=tuple(float(value) for value in output.logits[row]),
                    p_fake=float(output.p_fake[row]) if trained else None,
                    calibration=calibration,
                ),
                origin=picture.origin,
            )
            for row, picture in enumerate(pictures)
        ]

    def _answer(
        self, probe: _Probe, options: SearchOptions, watch: _Stopwatch, calibration: CalibrationVersion | None
    ) -> SearchAnswer:
        thresholds = self._thresholds(options, calibration)
        limit = self._limit(options)
        readable = (probe.facts.pdq_quality or 0) >= thresholds.min_quality
        with watch.step("index"):
            self._index.refresh()
            found = self._candidates(probe, options, thresholds, limit, readable)
        with watch.step("catalogue"), self._catalog.reading() as session:
            if probe.facts.sha256 is not None:
                same = images.find_ids(session, [probe.facts.sha256]).values()
                found.update(image_id for image_id in same if self._index.admits(image_id, options.filter))
            details = images.details(session, sorted(found))
            vectors = embeddings.vectors(session, self._resolved.fingerprint, sorted(found))
            listed = listed_matches(
                session,
                self._index,
                options.filter,
                sha256=probe.facts.sha256,
                hashes=probe.hashes,
                quality=probe.facts.pdq_quality or 0,
                thresholds=thresholds,
            )
            fakes = images.page(session, ImageFilter(label=LabelValue.FAKE), limit=1, cursor=None).items
            any_fake = bool(fakes) or hash_lists.any_of(session, LabelValue.FAKE)
        matches = sorted(
            (self._match(probe, record, vectors.get(image_id), thresholds) for image_id, record in details.items()),
            key=_strength,
        )
        heads = () if probe.vector is None else self._heads.findings(probe.vector)
        verdict = decide(
            matches,
            probe.finding,
            calibration=calibration,
            likeness_assessed=probe.vector is not None and thresholds.trained,
            pictures_assessed=bool(probe.hashes) and readable,
            any_known_fake=any_fake,
            index=IndexReference(
                snapshot=self._index.snapshot_id, size=self._index.size, fingerprint=self._resolved.fingerprint
            ),
            input_sha256=probe.facts.sha256,
            decided_at=datetime.now(UTC),
            heads=heads,
            listed=listed,
            origin=probe.origin,
        )
        return SearchAnswer(
            query=probe.facts,
            verdict=verdict,
            detector=probe.finding,
            matches=tuple(matches[:limit]),
            milliseconds=watch.milliseconds,
            heads=heads,
            listed=listed,
            provenance=probe.origin or (),
        )

    def _candidates(
        self, probe: _Probe, options: SearchOptions, thresholds: Thresholds, limit: int, readable: bool
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

    def _match(self, probe: _Probe, record: ImageDetails, vector: Vector | None, thresholds: Thresholds) -> Match:
        scores = self._scores(probe, record.image, bytes.fromhex(record.image.pdq), vector, thresholds)
        holding = [score for score in scores if score.holds]
        return Match(
            image=record,
            relation=holding[0].relation if holding else Relation.SAME_ORIGIN,
            holds=bool(holding),
            scores=scores,
        )

    @staticmethod
    def _scores(
        probe: _Probe, other: QueryFacts | Image, pdq: bytes, vector: Vector | None, thresholds: Thresholds
    ) -> tuple[RelationScore, ...]:
        scores: list[RelationScore] = []
        if probe.facts.sha256 is not None and other.sha256 is not None:
            scores.append(relations.same_file(probe.facts.sha256, other.sha256))
        if probe.hashes:
            scores.append(
                relations.same_picture(
                    probe.hashes, probe.facts.pdq_quality or 0, pdq, other.pdq_quality or 0, thresholds
                )
            )
        if probe.vector is not None and vector is not None:
            scores.append(relations.same_origin(probe.vector, vector, thresholds))
        return tuple(scores)

    def _limit(self, options: SearchOptions) -> int:
        limit = self._settings.search_limit if options.limit is None else options.limit
        if not 1 <= limit <= self._settings.search_limit_max:
            raise UsageError(f"limit is 1 to {self._settings.search_limit_max}, not {limit}")
        return limit

    def _thresholds(self, options: SearchOptions, calibration: CalibrationVersion | None) -> Thresholds:
        distance, cosine = options.same_picture_max_distance, options.same_origin_min_cosine
        if distance is not None and not 0 <= distance <= 64:
            raise UsageError(f"the largest PDQ distance is 0 to 64, not {distance}")
        if cosine is not None and not -1 <= cosine <= 1:
            raise UsageError(f"the smallest cosine is -1 to 1, not {cosine}")
        origin = None if calibration is None else calibration.calibration.same_origin
        smallest = self._settings.same_origin_min_cosine
        if smallest is None:
            smallest = self._resolved.spec.same_origin_min_cosine
        if origin is not None:
            smallest = None if origin.suggested is None else origin.suggested.min_cosine
        return Thresholds(
            max_distance=self._settings.same_picture_max_distance if distance is None else distance,
            min_quality=self._settings.pdq_min_quality,
            min_cosine=smallest if cosine is None else cosine,
            trained=self._resolved.spec.trained,
            origin=origin,
        )


def _pdq_of(pdq: str) -> PdqHash:
    """
    Raises:
        UsageError: not 64 hex digits.
    """
    try:
        return PdqHash.from_hex(pdq if len(pdq) == 64 else "")
    except ValueError:
        raise UsageError("a PDQ hash is 64 hex digits") from None


def _strength(match: Match) -> tuple[float, ...]:
    """Sorts the strongest first: what holds by relation, then the smallest distance, then the highest cosine."""
    by_relation = {score.relation: score for score in match.scores}
    picture, origin = by_relation.get(Relation.SAME_PICTURE), by_relation.get(Relation.SAME_ORIGIN)
    return (
        _RANK[match.relation] if match.holds else len(_RANK),
        picture.value if match.holds and picture and picture.holds else 0.0,
        -origin.value if origin else 0.0,
    )
