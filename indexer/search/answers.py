"""What goes into a search and what comes out of it: frozen dataclasses the CLI prints and the API serves unchanged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.heads import HeadFinding
from indexer.verdict.deciding import Verdict
from indexer.verdict.findings import DetectorFinding
from indexer.verdict.matches import ListedMatch, Match
from indexer.vocabulary import LabelValue


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to search. None takes the setting of the same name.

    `limit`, `filter` and `likeness_label` say which matches are listed, and never change the verdict, which is about
    all images. `filter` holds for every relation; `likeness_label` further restricts the listed images of the same
    origin (None: any label), unless the filter names a label itself.
    """

    limit: int | None = None
    same_picture_max_distance: int | None = None
    same_origin_min_cosine: float | None = None
    filter: ImageFilter = field(default_factory=ImageFilter)
    likeness_label: LabelValue | None = LabelValue.FAKE


@dataclass(frozen=True, slots=True)
class QueryFacts:
    """What was asked with. `kind` is `image`, `image_id`, `embedding`, `pdq` or `sha256`; the rest is null where
    unknown. `content` (0 to 100) is how much there is in the picture to compare it by: below 10 nothing is compared,
    and below 50 embeddings do not count where PDQ says otherwise. `missing`, of a file that ends early, is the share of
    the picture that is not there."""

    kind: str
    sha256: str | None = None
    pdq: str | None = None
    pdq_quality: int | None = None
    pdq_method: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    notes: tuple[str, ...] = ()
    content: int | None = None
    missing: float | None = None


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The whole answer to one query. `heads`: what the team's own heads say of it, by name; `listed`: entries of hash
    lists for it, of which no picture is held; `provenance`: what the file asked with says of its own origin, empty when
    it says nothing or there was none; `milliseconds` tells how long each step took. `kept_out`: how many images and
    entries of hash lists the verdict rests on that the filter keeps out of `matches` and `listed`; `scope_note` says
    so, None when there are none."""

    query: QueryFacts
    verdict: Verdict
    detector: DetectorFinding | None
    matches: tuple[Match, ...]
    milliseconds: Mapping[str, float]
    heads: tuple[HeadFinding, ...] = ()
    listed: tuple[ListedMatch, ...] = ()
    provenance: tuple[ProvenanceFinding, ...] = ()
    kept_out: int = 0
    scope_note: str | None = None
