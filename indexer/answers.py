"""What goes into a search and what comes out of it: frozen dataclasses the CLI prints and the API serves unchanged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from indexer.catalog.records import ImageFilter, ProvenanceFinding
from indexer.difference.finding import DifferenceFinding
from indexer.findings import CalibrationReference, DetectorFinding
from indexer.heads import HeadFinding
from indexer.listed import ListedMatch
from indexer.relations import RelationScore
from indexer.verdict import Match, Verdict
from indexer.vocabulary import LabelValue


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to search. None takes the setting of the same name.

    `filter` holds for every relation; `likeness_label` further restricts the likeness search (None: any label), unless
    the filter names a label itself.
    """

    limit: int | None = None
    same_picture_max_distance: int | None = None
    same_origin_min_cosine: float | None = None
    filter: ImageFilter = field(default_factory=ImageFilter)
    likeness_label: LabelValue | None = LabelValue.FAKE


@dataclass(frozen=True, slots=True)
class QueryFacts:
    """What was asked with. `kind` is `image`, `image_id`, `embedding`, `pdq` or `sha256`; the rest is null where
    unknown."""

    kind: str
    sha256: str | None = None
    pdq: str | None = None
    pdq_quality: int | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The whole answer to one query. `heads`: what the team's own heads say of it, by name; `listed`: entries of hash
    lists for it, of which no picture is held; `provenance`: what the file asked with says of its own origin, empty when
    it says nothing or there was none; `milliseconds` tells how long each step took."""

    query: QueryFacts
    verdict: Verdict
    detector: DetectorFinding | None
    matches: tuple[Match, ...]
    milliseconds: Mapping[str, float]
    heads: tuple[HeadFinding, ...] = ()
    listed: tuple[ListedMatch, ...] = ()
    provenance: tuple[ProvenanceFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two pictures relate: all three relations, strongest first, and what the detector says of each (null when it
    has not seen a known image). `statements` says the latter in sentences; `calibration` is null when scores and
    cosines are uncalibrated. `provenance`: what each file says of its own origin, each finding with its worth; null for
    a known image of which it was never read. It never changes the relations. `difference`: where the pictures differ,
    null when that was not asked."""

    a: QueryFacts
    b: QueryFacts
    scores: tuple[RelationScore, ...]
    findings: tuple[DetectorFinding, DetectorFinding | None]
    statements: tuple[str | None, str | None]
    calibration: CalibrationReference | None
    limitations: tuple[str, ...]
    provenance: tuple[tuple[ProvenanceFinding, ...] | None, tuple[ProvenanceFinding, ...] | None] = (None, None)
    difference: DifferenceFinding | None = None
