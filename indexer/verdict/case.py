"""All that a verdict rests on, as one record."""

from dataclasses import dataclass
from datetime import datetime

from indexer.calibration import CalibrationVersion
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.heads import HeadFinding
from indexer.verdict.findings import DetectorFinding
from indexer.verdict.matches import ListedMatch, Match


@dataclass(frozen=True, slots=True)
class IndexReference:
    """The state of the catalogue a verdict was computed on. `size`: embeddings searched."""

    snapshot: str
    size: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class CopySearch:
    """How altered copies were searched for.

    Attributes:
        assessed: copy embeddings or local features of the query were compared.
        lacking: some images have neither been embedded for it nor looked at for features.
        false_matches: the share of unrelated pictures that a likely copy's score was measured to admit, None where it
            was not measured.
        problem: why the copy descriptor that is wanted could not be used, None where it could.
    """

    assessed: bool
    lacking: bool
    false_matches: float | None = None
    problem: str | None = None


NO_COPY_SEARCH = CopySearch(assessed=False, lacking=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known of one query when its verdict is decided.

    Attributes:
        matches: the matches among all images that the asker may see, whatever is listed, strongest first.
        finding: the detector's own reading of the query, None when the query held no picture.
        calibration: the one that finding and matches were read with, None when there was none.
        likeness_assessed: a trained detector compared embeddings.
        pictures_assessed: a PDQ hash of sufficient quality was compared.
        copies: how altered copies were searched for.
        any_known_fake: the catalogue holds at least one image labelled fake, or a hash list of such.
        index, input_sha256, decided_at: recorded as given.
        heads: what the team's own heads say; further evidence that never changes the outcome.
        listed: entries of hash lists for the query, nearest first. They count like labels of a feed.
        origin: what the file asked with says of itself, None when there was no file; it never changes the outcome.
        unassessable: why neither hash nor embedding of the query could be compared, None where they could.
        missing: the share of the query's picture that is not there, None unless its file ends early.
    """

    matches: tuple[Match, ...]
    finding: DetectorFinding | None
    calibration: CalibrationVersion | None
    likeness_assessed: bool
    pictures_assessed: bool
    any_known_fake: bool
    index: IndexReference
    input_sha256: str | None
    decided_at: datetime
    heads: tuple[HeadFinding, ...] = ()
    listed: tuple[ListedMatch, ...] = ()
    origin: tuple[ProvenanceFinding, ...] | None = None
    unassessable: str | None = None
    missing: float | None = None
    copies: CopySearch = NO_COPY_SEARCH

    @property
    def holding(self) -> list[Match]:
        """The matches of which a relation holds."""
        return [match for match in self.matches if match.holds]
