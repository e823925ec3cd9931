"""From matches and a detector's reading to a verdict that says what it rests on and what it cannot say.

The record follows the house's rule that likeness to a known fake is a relation and not fakeness, and that "no match"
is not "authentic". What a picture is compared with, and how, lives in `indexer.search`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from indexer import __version__
from indexer.catalog.records import CurrentLabel, ImageDetails
from indexer.relations import Band, RelationScore
from indexer.vocabulary import Direction, EvidenceKind, LabelSource, LabelValue, Outcome, Relation

QUESTION = "Have we seen this fake before?"
PROPOSITIONS = (
    "The picture is, or derives from, a known fake of this catalogue.",
    "The picture is not, and does not derive from, any known fake of this catalogue.",
)

LIMIT_LIKENESS = (
    "Likeness to a known fake is a relation between pictures; the genuine source of a fake may match it too."
)
LIMIT_NO_MATCH = "No match means that this catalogue does not hold it. It does not mean that the picture is authentic."
LIMIT_SCORE = "A detector's score is a signal, not proof. It is uncalibrated: 0.9 does not mean nine in ten."
LIMIT_UNCALIBRATED = (
    "Cosine thresholds are uncalibrated: how often they are wrong on your pictures has not been measured."
)
LIMIT_UNTRAINED = (
    "The detector in use is not trained: it can neither judge the picture nor its likeness to known fakes."
)
LIMIT_LOCAL_EDIT = "PDQ compares whole pictures: a small local edit of a genuine picture stays within its distance."
LIMIT_LOW_QUALITY = "The picture has too little structure for PDQ: whether it is the same picture could not be judged."


class Reading(StrEnum):
    """Which way a detector's own score leans."""

    LEANS_FAKE = "leans_fake"
    LEANS_AUTHENTIC = "leans_authentic"
    NOT_ASSESSABLE = "not_assessable"


@dataclass(frozen=True, slots=True)
class Match:
    """A known image and how it belongs to the query; `relation` is the strongest that was measured to hold, or
    `same_origin` when none does and it is merely among the nearest."""

    image: ImageDetails
    relation: Relation
    holds: bool
    scores: tuple[RelationScore, ...]


@dataclass(frozen=True, slots=True)
class DetectorFinding:
    """What the detector itself says of the query. `p_fake` in [0, 1], None unless the detector is trained."""

    name: str
    fingerprint: str
    trained: bool
    logits: tuple[float, ...]
    p_fake: float | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence, with the raw value it rests on."""

    kind: EvidenceKind
    direction: Direction
    statement: str
    measure: str
    value: float | str
    threshold: float | None
    tool: str
    tool_version: str


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
class Calibration:
    """The measurement that gives scores a meaning: labelled set, its size, false-positive rate with 95 % interval."""

    data_set: str
    n: int
    false_positive_rate: float
    interval: tuple[float, float]
    measured_at: datetime


@dataclass(frozen=True, slots=True)
class IndexReference:
    """The state of the catalogue a verdict was computed on. `size`: embeddings searched."""

    snapshot: str
    size: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to `question`. `calibration` and `verbal_band` are null until a calibration was measured."""

    question: str
    propositions: tuple[str, str]
    outcome: Outcome
    summary: str
    evidence: tuple[Evidence, ...]
    matched: tuple[MatchedItem, ...]
    calibration: Calibration | None
    verbal_band: str | None
    limitations: tuple[str, ...]
    index: IndexReference
    input_sha256: str | None
    decided_at: datetime
    human_review: str | None = None
    supersedes: str | None = None


def read_detector(trained: bool, p_fake: float | None) -> Reading:
    """Which way a score leans; an untrained detector never leans."""
    if not trained or p_fake is None:
        return Reading.NOT_ASSESSABLE
    return Reading.LEANS_FAKE if p_fake >= 0.5 else Reading.LEANS_AUTHENTIC


def decide(
    matches: Sequence[Match],
    finding: DetectorFinding | None,
    *,
    likeness_assessed: bool,
    pictures_assessed: bool,
    any_known_fake: bool,
    index: IndexReference,
    input_sha256: str | None,
    decided_at: datetime,
) -> Verdict:
    """The verdict on one query.

    Args:
        matches: what was found, strongest first.
        finding: the detector's own reading of the query, None when the query held no picture.
        likeness_assessed: a trained detector compared embeddings.
        pictures_assessed: a PDQ hash of sufficient quality was compared.
        any_known_fake: the catalogue holds at least one image labelled fake.
        index, input_sha256, decided_at: recorded as given.
    """
    holding = [match for match in matches if match.holds]
    outcome, summary = _outcome(holding, finding, likeness_assessed, pictures_assessed, any_known_fake)
    return Verdict(
        question=QUESTION,
        propositions=PROPOSITIONS,
        outcome=outcome,
        summary=summary,
        evidence=tuple(_evidence(holding, finding)),
        matched=tuple(_matched_item(match) for match in holding),
        calibration=None,
        verbal_band=None,
        limitations=tuple(_limitations(holding, finding, likeness_assessed, pictures_assessed, outcome)),
        index=index,
        input_sha256=input_sha256,
        decided_at=decided_at,
    )


def _outcome(
    holding: Sequence[Match],
    finding: DetectorFinding | None,
    likeness_assessed: bool,
    pictures_assessed: bool,
    any_known_fake: bool,
) -> tuple[Outcome, str]:
    labels = {
        relation: [match.image.image.label for match in holding if match.relation is relation] for relation in Relation
    }
    if labels[Relation.SAME_FILE]:
        outcome, summary = _identity_outcome("The same file", labels[Relation.SAME_FILE])
        if outcome is Outcome.NO_MATCH_FOUND and LabelValue.FAKE in {
            one.value for one in labels[Relation.SAME_PICTURE]
        }:
            summary = (
                "The same file is labelled authentic; a near-identical picture is a known fake and may derive from it."
            )
        return outcome, summary
    if labels[Relation.SAME_PICTURE]:
        return _identity_outcome("The same picture, or a near-identical one,", labels[Relation.SAME_PICTURE])
    if likeness_assessed and any(match.image.image.label.value is LabelValue.FAKE for match in holding):
        return (
            Outcome.SIMILAR_TO_KNOWN_FAKE,
            "Not a known file or picture, but its embedding is close to known fakes (uncalibrated).",
        )
    if not any_known_fake:
        return Outcome.NOT_ASSESSABLE, "This catalogue holds no known fakes: there is nothing to compare with."
    if not likeness_assessed and not pictures_assessed:
        return Outcome.NOT_ASSESSABLE, "Neither the picture's hash nor its embedding could be compared."
    if finding is not None and not finding.trained:
        return (
            Outcome.NOT_ASSESSABLE,
            "Not the same file or picture as any known fake. Likeness not judged: the detector is not trained.",
        )
    return Outcome.NO_MATCH_FOUND, "No known fake of this catalogue matches. That does not make the picture authentic."


def _identity_outcome(words: str, labels: Sequence[CurrentLabel]) -> tuple[Outcome, str]:
    if any(label.disputed for label in labels):
        return Outcome.INCONCLUSIVE, f"{words} is in the catalogue, but its labels disagree: a person must settle them."
    values = {label.value for label in labels} - {LabelValue.UNKNOWN}  # who has no label contradicts nobody
    if values == {LabelValue.FAKE}:
        sources = sorted({label.source for label in labels if label.source})
        return Outcome.KNOWN_FAKE_MATCH, f"{words} is a known fake, labelled by {', '.join(sources[:3])}."
    if values == {LabelValue.AUTHENTIC}:
        return Outcome.NO_MATCH_FOUND, f"{words} is in the catalogue, labelled authentic."
    if not values:
        return Outcome.INCONCLUSIVE, f"{words} is in the catalogue, but nobody has labelled it yet."
    return (
        Outcome.INCONCLUSIVE,
        f"{words} is in the catalogue more than once with different labels: a person must compare them.",
    )


def _evidence(holding: Sequence[Match], finding: DetectorFinding | None) -> list[Evidence]:
    evidence = [_match_evidence(match, score) for match in holding[:10] for score in match.scores if score.holds]
    if finding is not None and finding.p_fake is not None:
        evidence.append(
            Evidence(
                kind=EvidenceKind.STATISTICAL,
                direction=Direction.NEUTRAL,
                statement=f"The detector {finding.name} gives p(fake) = {finding.p_fake:.3f} (uncalibrated).",
                measure="p_fake",
                value=finding.p_fake,
                threshold=0.5,
                tool=finding.name,
                tool_version=finding.fingerprint[:16],
            )
        )
    return evidence


def _match_evidence(match: Match, score: RelationScore) -> Evidence:
    label = match.image.image.label
    who = f"labelled {label.value} by {label.source}" if label.source else "not labelled"
    what = {
        Relation.SAME_FILE: "Same bytes as",
        Relation.SAME_PICTURE: f"PDQ distance {score.value:.0f} of 256 to",
        Relation.SAME_ORIGIN: f"Embedding cosine {score.value:.3f} to",
    }[score.relation]
    direction = {
        LabelValue.FAKE: Direction.SUPPORTS,
        LabelValue.AUTHENTIC: Direction.OPPOSES,
        LabelValue.UNKNOWN: Direction.NEUTRAL,
    }[label.value]
    exact = score.relation is Relation.SAME_FILE
    return Evidence(
        kind=EvidenceKind.CRYPTOGRAPHIC if exact else EvidenceKind.STATISTICAL,
        direction=Direction.NEUTRAL if score.band is Band.UNTRAINED_DETECTOR else direction,
        statement=f"{what} {match.image.image.sha256[:16]}, {who}.",
        measure=score.measure,
        value=score.value,
        threshold=score.threshold,
        tool="dejafake",
        tool_version=__version__,
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


def _limitations(
    holding: Sequence[Match],
    finding: DetectorFinding | None,
    likeness_assessed: bool,
    pictures_assessed: bool,
    outcome: Outcome,
) -> list[str]:
    limits = []
    if finding is not None and not finding.trained:
        limits.append(LIMIT_UNTRAINED)
    if finding is not None and finding.trained:
        limits.append(LIMIT_SCORE)
    if not pictures_assessed:
        limits.append(LIMIT_LOW_QUALITY)
    if any(match.relation is Relation.SAME_PICTURE for match in holding):
        limits.append(LIMIT_LOCAL_EDIT)
    if likeness_assessed:
        limits.append(LIMIT_UNCALIBRATED)
    limits.append(LIMIT_NO_MATCH if outcome is Outcome.NO_MATCH_FOUND else LIMIT_LIKENESS)
    return limits
