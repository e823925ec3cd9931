"""From what can be compared of a query to its answer: candidates, what the catalogue holds of them, matches, verdict.

How a query becomes a probe lives in `indexer.search.searcher` and `indexer.search.measurer`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from indexer.arrays import Vector
from indexer.calibration import CalibrationVersion
from indexer.catalog.database import Catalog
from indexer.catalog.detections import embeddings
from indexer.catalog.images import images
from indexer.catalog.records.images import ImageDetails, KnownImage
from indexer.copies.descriptor import ResolvedDescriptor
from indexer.copies.verification.thumbnails import Thumbnails
from indexer.detector import ResolvedDetector
from indexer.heads import HeadStore
from indexer.index import IndexView, SearchIndex
from indexer.search.answers import SearchAnswer, SearchOptions
from indexer.search.candidates import LIKEST, Asked, Candidates, list_limit, visible
from indexer.search.copies import NOT_VERIFIED, NearCopies, Verified, Verifier
from indexer.search.list_matches import listed_matches, shown
from indexer.search.matching import Known, match_of, strength
from indexer.search.probe import Probe
from indexer.search.stopwatch import Stopwatch
from indexer.settings import Settings
from indexer.verdict.active_calibration import ActiveCalibration
from indexer.verdict.case import Case, CopySearch, IndexReference
from indexer.verdict.deciding import decide
from indexer.verdict.limitations import scope_note
from indexer.verdict.matches import ListedMatch, Match
from indexer.verdict.outcomes import settled
from indexer.verdict.thresholds import Thresholds, thresholds_for
from indexer.vocabulary import LabelValue, Relation


@dataclass(frozen=True, slots=True)
class _Read:
    """What the catalogue holds of the candidates, by internal id, and of the query. `deciding` are those that the
    verdict rests on, `listed` those that may be listed, `entries` those of hash lists."""

    details: Mapping[int, ImageDetails]
    vectors: Mapping[int, Vector]
    copy_vectors: Mapping[int, Vector]
    deciding: frozenset[int]
    listed: frozenset[int]
    entries: tuple[ListedMatch, ...]
    any_known_fake: bool


class Answering:
    """Answers probes on one catalogue with one detector; arguments as of `Searcher`. Safe to share between threads.

    Attributes:
        calibration: the one that answers are read with.
    """

    def __init__(
        self,
        catalog: Catalog,
        index: SearchIndex,
        resolved: ResolvedDetector,
        descriptor: ResolvedDescriptor | None,
        settings: Settings,
        descriptor_problem: Callable[[], str | None],
    ) -> None:
        self._catalog = catalog
        self._descriptor_problem = descriptor_problem
        self._descriptor = descriptor
        self._verifier = Verifier(catalog, Thumbnails(settings))
        self._index = index
        self._resolved = resolved
        self._settings = settings
        self.calibration = ActiveCalibration(catalog, resolved)
        self._any_fake = (-1, False)
        self._heads = HeadStore.of(settings, resolved.fingerprint)

    def catch_up(self) -> CalibrationVersion | None:
        """The calibration now in use, once the index has caught up with the catalogue."""
        self._index.refresh()
        return self.calibration.get(self._index.view().change_id)

    def answer(
        self,
        probe: Probe,
        options: SearchOptions,
        watch: Stopwatch,
        calibration: CalibrationVersion | None,
        known: KnownImage | None = None,
        *,
        leave_itself_out: bool = False,
    ) -> SearchAnswer:
        """The answer to a probe, after `catch_up`; `known` is the image of the catalogue that it is of, where that was
        looked up. What is found and the state that the verdict names are of one view of the index."""
        asked = Asked(
            probe,
            options,
            self.thresholds(options, calibration),
            list_limit(options.limit, self._settings),
            likest=max(LIKEST, self._settings.search_limit),
            itself=known.image_id if known is not None and leave_itself_out else None,
        )
        view = self._index.view()
        with watch.step("index"):
            candidates = Candidates.of(view, asked)
        with watch.step("copies"):
            near = NearCopies.of(view, asked)
        with watch.step("catalogue"), self._catalog.reading() as session:
            read = self._read(session, view, asked, candidates, near, known)
        verified = NOT_VERIFIED
        with watch.step("verdict"):
            matches = self._matches(read, asked, verified)
        if probe.details is not None and not settled(_deciding(matches, read), read.entries):
            verified = self._verifier.verify(view, asked, near, watch)
            with watch.step("catalogue"):
                read = self._read_more(read, view, verified)
            with watch.step("verdict"):
                matches = self._matches(read, asked, verified)
        with watch.step("verdict"):
            heads = () if probe.vector is None else self._heads.findings(probe.vector)
            kept_out, listed = self._kept_out(matches, view, asked, read), shown(read.entries, options.filter)
            verdict = decide(
                Case(
                    matches=_deciding(matches, read),
                    finding=probe.finding,
                    calibration=calibration,
                    likeness_assessed=probe.vector is not None and asked.thresholds.trained,
                    pictures_assessed=bool(probe.hashes) and asked.readable,
                    any_known_fake=read.any_known_fake,
                    index=IndexReference(view.snapshot_id, view.size, self._resolved.fingerprint),
                    input_sha256=probe.facts.sha256,
                    decided_at=datetime.now(UTC),
                    heads=heads,
                    listed=read.entries,
                    origin=probe.origin,
                    unassessable=probe.unassessable,
                    missing=probe.facts.missing,
                    copies=self._copy_search(view, asked, verified),
                )
            )
        return SearchAnswer(
            query=probe.facts,
            verdict=verdict,
            detector=probe.finding,
            matches=tuple(match for image_id, match in matches if image_id in read.listed)[: asked.limit],
            milliseconds=watch.milliseconds,
            heads=heads,
            listed=listed,
            provenance=probe.origin or (),
            kept_out=kept_out,
            scope_note=scope_note(kept_out),
        )

    def _read(
        self,
        session: Session,
        view: IndexView,
        asked: Asked,
        candidates: Candidates,
        near: NearCopies,
        known: KnownImage | None,
    ) -> _Read:
        same = self._same_file(session, view, asked, known)
        likely = self._likely(view, asked, near)
        deciding = {*candidates.deciding(session, same), *likely.intersection(near.deciding)}
        listed = {*candidates.listed(view, asked, same), *likely.intersection(near.listed)}
        ids = sorted(deciding | listed)
        return _Read(
            images.details(session, ids),
            self._vectors(session, view, ids),
            view.copy_vectors_of(ids) if asked.probe.copies is not None else {},
            frozenset(deciding),
            frozenset(listed),
            listed_matches(session, view, asked),
            self._any_known_fake(session, view),
        )

    def _read_more(self, read: _Read, view: IndexView, verified: Verified) -> _Read:
        """The same with the images that comparing features found."""
        ids = sorted(verified.overlaps.keys() - read.details.keys())
        if ids:
            with self._catalog.reading() as session:
                details, vectors = images.details(session, ids), self._vectors(session, view, ids)
            read = replace(
                read,
                details={**read.details, **details},
                vectors={**read.vectors, **vectors},
                copy_vectors={**read.copy_vectors, **view.copy_vectors_of(ids)},
            )
        return replace(read, deciding=read.deciding | verified.deciding, listed=read.listed | verified.listed)

    @staticmethod
    def _likely(view: IndexView, asked: Asked, near: NearCopies) -> frozenset[int]:
        """Those of the near images that are likely copies by their embeddings alone."""
        copies, smallest = asked.probe.copies, asked.thresholds.min_copy_score
        if copies is None or smallest is None:
            return frozenset()
        vectors = view.copy_vectors_of([*{*near.deciding, *near.listed}])
        return frozenset(image_id for image_id, vector in vectors.items() if copies.score(vector) >= smallest)

    def _copy_search(self, view: IndexView, asked: Asked, verified: Verified) -> CopySearch:
        probe = asked.probe
        picture = probe.facts.kind in ("image", "image_id") and probe.unassessable is None
        return CopySearch(
            assessed=probe.copies is not None or verified.compared,
            lacking=picture and view.copies_lacking > 0,
            false_matches=asked.thresholds.copy_false_matches,
            problem=self._descriptor_problem() if picture else None,
        )

    def _same_file(self, session: Session, view: IndexView, asked: Asked, known: KnownImage | None) -> list[int]:
        """The query itself, if the catalogue holds it: what came after `view` is left to the next search."""
        if asked.itself is not None:
            return []
        if known is not None:
            return [known.image_id]
        sha256 = asked.probe.facts.sha256
        ids = {} if sha256 is None else images.find_ids(session, [sha256])
        return [image_id for image_id in ids.values() if image_id <= view.newest_image]

    def _vectors(self, session: Session, view: IndexView, image_ids: Collection[int]) -> dict[int, Vector]:
        """The embeddings of those of these images that have one: from the index, the catalogue for what it lacks."""
        vectors = view.vectors_of([*image_ids])
        missing = [image_id for image_id in image_ids if image_id not in vectors]
        return vectors | (embeddings.vectors(session, self._resolved.fingerprint, missing) if missing else {})

    def _any_known_fake(self, session: Session, view: IndexView) -> bool:
        """Whether there is any image or listed hash labelled fake; images are asked once a change of what filters
        select."""
        filters_id, answer = self._any_fake
        if filters_id != view.filters_id:
            fakes = replace(visible(), label=LabelValue.FAKE)
            answer = bool(images.page(session, fakes, limit=1, cursor=None).items)
            self._any_fake = view.filters_id, answer
        return answer or view.lists_fakes

    @staticmethod
    def _matches(read: _Read, asked: Asked, verified: Verified) -> list[tuple[int, Match]]:
        """All that was read, by internal id, strongest first."""

        def known(image_id: int) -> Known:
            # what a filter had compared does not change what the verdict rests on
            counts = image_id in verified.deciding or image_id not in read.deciding
            return Known(
                read.vectors.get(image_id),
                read.copy_vectors.get(image_id),
                verified.overlaps.get(image_id) if counts else None,
            )

        matches = (
            (image_id, match_of(asked.probe, record, known(image_id), asked.thresholds))
            for image_id, record in read.details.items()
        )
        return sorted(matches, key=lambda scored: strength(scored[1]))

    def _kept_out(self, matches: Sequence[tuple[int, Match]], view: IndexView, asked: Asked, read: _Read) -> int:
        """How much the verdict rests on that the filter, or the label scope, keeps out of the lists."""
        holding = [(image_id, match) for image_id, match in matches if match.holds and image_id in read.deciding]
        alike = {image_id for image_id, match in holding if match.relation is Relation.SAME_ORIGIN}
        others = [image_id for image_id, _ in holding if image_id not in alike]
        admitted = len(view.admitted([*alike], asked.listed_alike)) + len(view.admitted(others, asked.options.filter))
        return len(holding) - admitted + len(read.entries) - len(shown(read.entries, asked.options.filter))

    def thresholds(self, options: SearchOptions, calibration: CalibrationVersion | None) -> Thresholds:
        """What counts as the same picture and the same origin, with these options and that calibration."""
        return thresholds_for(
            self._settings,
            self._resolved.spec,
            calibration,
            None if self._descriptor is None else self._descriptor.spec,
            max_distance=options.same_picture_max_distance,
            min_cosine=options.same_origin_min_cosine,
        )


def _deciding(matches: Sequence[tuple[int, Match]], read: _Read) -> tuple[Match, ...]:
    """Those that the verdict rests on."""
    return tuple(match for image_id, match in matches if image_id in read.deciding)
