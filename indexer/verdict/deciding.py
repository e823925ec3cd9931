"""From a case to a verdict that says what it rests on and what it cannot say.

The rules of the outcome live in `indexer.verdict.outcomes`, evidence and limits in the modules of those names. What a
picture is compared with, and how, lives in `indexer.search.answering`.
"""

from dataclasses import dataclass
from datetime import datetime

from indexer.verdict.case import Case, IndexReference
from indexer.verdict.evidence import Evidence, evidence_of
from indexer.verdict.findings import CalibrationReference, verbal_band
from indexer.verdict.limitations import limits_of
from indexer.verdict.matches import Match
from indexer.verdict.outcomes import outcome_of
from indexer.vocabulary import LabelSource, LabelValue, Outcome, Relation

QUESTION = "Have we seen this fake before?"
PROPOSITIONS = (
    "The picture is, or derives from, a known fake of this catalogue.",
    "The picture is not, and does not derive from, any known fake of this catalogue.",
)


@dataclass(frozen=True, slots=True)
class MatchedItem:
    """A known image the verdict rests on, and who labelled it."""

    sha256: str
    relation: Relation
    label: LabelValue
    disputed: bool
    label_source_kind: LabelSource | None
    label_source: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to `question`. `calibration` and `verbal_band` are null until a calibration was measured;
    `verbal_band` is about the detector's own score."""

    question: str
    propositions: tuple[str, str]
    outcome: Outcome
    summary: str
    evidence: tuple[Evidence, ...]
    matched: tuple[MatchedItem, ...]
    calibration: CalibrationReference | None
    verbal_band: str | None
    limitations: tuple[str, ...]
    index: IndexReference
    input_sha256: str | None
    decided_at: datetime
    human_review: str | None = None
    supersedes: str | None = None


def decide(case: Case) -> Verdict:
    """The verdict on one query."""
    outcome, summary = outcome_of(case)
    reference = None if case.calibration is None else CalibrationReference.of(case.calibration)
    return Verdict(
        question=QUESTION,
        propositions=PROPOSITIONS,
        outcome=outcome,
        summary=summary,
        evidence=evidence_of(case, reference),
        matched=tuple(_matched_item(match) for match in case.holding),
        calibration=reference,
        verbal_band=verbal_band(case.finding),
        limitations=limits_of(case, outcome),
        index=case.index,
        input_sha256=case.input_sha256,
        decided_at=case.decided_at,
    )


def _matched_item(match: Match) -> MatchedItem:
    label = match.image.image.label
    return MatchedItem(
        sha256=match.image.image.sha256,
        relation=match.relation,
        label=label.value,
        disputed=label.disputed,
        label_source_kind=label.source_kind,
        label_source=label.source,
    )
