"""From matches and a detector's reading to a verdict that says what it rests on and what it cannot say.

The record follows the house's rule that likeness to a known fake is a relation and not fakeness, and that "no match"
is not "authentic". What a picture is compared with, and how, lives in `indexer.search`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from indexer import __version__
from indexer.calibration import CalibrationVersion
from indexer.catalog.records import CurrentLabel, ImageDetails, ProvenanceFinding
from indexer.evidence import Evidence, head_evidence, origin_evidence
from indexer.file_origin import provenance_limits
from indexer.findings import CalibrationReference, DetectorFinding, score_statement, verbal_band
from indexer.heads import HeadFinding
from indexer.limitations import (
    LIMIT_LIKENESS,
    LIMIT_LISTED,
    LIMIT_LOCAL_EDIT,
    LIMIT_LOW_QUALITY,
    LIMIT_NO_MATCH,
    cosine_limits,
    detector_limits,
)
from indexer.listed import ListedMatch
from indexer.relations import Band, RelationScore
from indexer.vocabulary import Direction, EvidenceKind, LabelSource, LabelValue, Outcome, Relation, Technique

QUESTION = "Have we seen this fake before?"
PROPOSITIONS = (
    "The picture is, or derives from, a known fake of this catalogue.",
    "The picture is not, and does not derive from, any known fake of this catalogue.",
)

_DIRECTIONS = {
    LabelValue.FAKE: Direction.SUPPORTS,
    LabelValue.AUTHENTIC: Direction.OPPOSES,
    LabelValue.UNKNOWN: Direction.NEUTRAL,
}
_MOST_LISTED = 10
"""Entries of hash lists a verdict names; all of them are in the answer."""


@dataclass(frozen=True, slots=True)
class Match:
    """A known image and how it belongs to the query; `relation` is the strongest that was measured to hold, or
    `same_origin` when none does and it is merely among the nearest."""

    image: ImageDetails
    relation: Relation
    holds: bool
    scores: tuple[RelationScore, ...]


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
class IndexReference:
    """The state of the catalogue a verdict was computed on. `size`: embeddings searched."""

    snapshot: str
    size: int
    fingerprint: str


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


def decide(
    matches: Sequence[Match],
    finding: DetectorFinding | None,
    *,
    calibration: CalibrationVersion | None,
    likeness_assessed: bool,
    pictures_assessed: bool,
    any_known_fake: bool,
    index: IndexReference,
    input_sha256: str | None,
    decided_at: datetime,
    heads: Sequence[HeadFinding] = (),
    listed: Sequence[ListedMatch] = (),
    origin: Sequence[ProvenanceFinding] | None = None,
) -> Verdict:
    """The verdict on one query.

    Args:
        matches: what was found, strongest first.
        finding: the detector's own reading of the query, None when the query held no picture.
        calibration: the one that finding and matches were read with, None when there was none.
        likeness_assessed: a trained detector compared embeddings.
        pictures_assessed: a PDQ hash of sufficient quality was compared.
        any_known_fake: the catalogue holds at least one image labelled fake, or a hash list of such.
        index, input_sha256, decided_at: recorded as given.
        heads: what the team's own heads say; further evidence that never changes the outcome.
        listed: entries of hash lists for the query, nearest first. They count like labels of a feed.
        origin: what the file asked with says of itself, None when there was no file; it never changes the outcome.
    """
    holding = [match for match in matches if match.holds]
    outcome, summary = _outcome(holding, listed, finding, likeness_assessed, pictures_assessed, any_known_fake)
    reference = None if calibration is None else CalibrationReference.of(calibration)
    return Verdict(
        question=QUESTION,
        propositions=PROPOSITIONS,
        outcome=outcome,
        summary=summary,
        evidence=(
            *_evidence(holding, finding, reference),
            *map(_listed_evidence, listed[:_MOST_LISTED]),
            *map(head_evidence, heads),
            *map(origin_evidence, origin or ()),
        ),
        matched=tuple(_matched_item(match) for match in holding),
        calibration=reference,
        verbal_band=verbal_band(finding),
        limitations=(
            *_limitations(holding, listed, finding, calibration, likeness_assessed, pictures_assessed, outcome),
            *(() if origin is None else provenance_limits(origin)),
        ),
        index=index,
        input_sha256=input_sha256,
        decided_at=decided_at,
    )


def _outcome(
    holding: Sequence[Match],
    listed: Sequence[ListedMatch],
    finding: DetectorFinding | None,
    likeness_assessed: bool,
    pictures_assessed: bool,
    any_known_fake: bool,
) -> tuple[Outcome, str]:
    known = {
        relation: [match.image.image.label for match in holding if match.relation is relation] for relation in Relation
    }
    labels = {relation: [*found, *_listed_labels(listed, relation, found)] for relation, found in known.items()}
    if labels[Relation.SAME_FILE]:
        outcome, summary = _identity_outcome("The same file", labels[Relation.SAME_FILE], known[Relation.SAME_FILE])
        if outcome is Outcome.NO_MATCH_FOUND and LabelValue.FAKE in {
            one.value for one in labels[Relation.SAME_PICTURE]
        }:
            summary = (
                "The same file is labelled authentic; a near-identical picture is a known fake and may derive from it."
            )
        return outcome, summary
    if labels[Relation.SAME_PICTURE]:
        words = "The same picture, or a near-identical one,"
        return _identity_outcome(words, labels[Relation.SAME_PICTURE], known[Relation.SAME_PICTURE])
    alike = [match for match in holding if match.image.image.label.value is LabelValue.FAKE]
    if likeness_assessed and alike:
        return (
            Outcome.SIMILAR_TO_KNOWN_FAKE,
            f"Not a known file or picture, but its embedding is close to known fakes ({_how_sure(alike)}).",
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


def _how_sure(alike: Sequence[Match]) -> str:
    origin = [score for match in alike for score in match.scores if score.relation is Relation.SAME_ORIGIN]
    nearest = max(origin, key=lambda score: score.value, default=None)
    if nearest is None or nearest.probability is None or nearest.band is Band.UNCALIBRATED:
        return "uncalibrated"
    return f"{nearest.band.value}, {nearest.note}"


def _listed_labels(
    listed: Sequence[ListedMatch], relation: Relation, known: Sequence[CurrentLabel]
) -> list[CurrentLabel]:
    """What hash lists say, as labels of a feed. Of the same file a person's label wins over theirs."""
    by_person = any(label.source_kind is LabelSource.HUMAN and not label.disputed for label in known)
    if relation is Relation.SAME_FILE and by_person:
        return []
    return [
        CurrentLabel(
            value=match.entry.label,
            technique=Technique.UNKNOWN,
            generator=None,
            disputed=False,
            source_kind=LabelSource.TRUSTED_FEED,
            source=f"the hash list {match.entry.source} (no picture is held)",
        )
        for match in listed
        if match.relation is relation
    ]


def _identity_outcome(words: str, labels: Sequence[CurrentLabel], known: Sequence[CurrentLabel]) -> tuple[Outcome, str]:
    """`labels`: those of images and of hash lists together; `known`: those of images."""
    where = "in the catalogue" if known else "on a hash list"
    if any(label.disputed for label in labels):
        return Outcome.INCONCLUSIVE, f"{words} is {where}, but its labels disagree: a person must settle them."
    values = {label.value for label in labels} - {LabelValue.UNKNOWN}  # who has no label contradicts nobody
    if values == {LabelValue.FAKE}:
        sources = sorted({label.source for label in labels if label.source})
        return Outcome.KNOWN_FAKE_MATCH, f"{words} is a known fake, labelled by {', '.join(sources[:3])}."
    if values == {LabelValue.AUTHENTIC}:
        return Outcome.NO_MATCH_FOUND, f"{words} is {where}, labelled authentic."
    if not values:
        return Outcome.INCONCLUSIVE, f"{words} is {where}, but nobody has labelled it yet."
    return (
        Outcome.INCONCLUSIVE,
        f"{words} is {where} more than once with different labels: a person must compare them.",
    )


def _evidence(
    holding: Sequence[Match], finding: DetectorFinding | None, reference: CalibrationReference | None
) -> list[Evidence]:
    evidence = [_match_evidence(match, score) for match in holding[:10] for score in match.scores if score.holds]
    statement = None if finding is None else score_statement(finding, reference)
    if finding is not None and finding.p_fake is not None and statement is not None:
        evidence.append(
            Evidence(
                kind=EvidenceKind.STATISTICAL,
                direction=Direction.NEUTRAL,
                statement=statement,
                measure="p_fake",
                value=finding.p_fake,
                threshold=0.5 if finding.zone is None else finding.zone.leans_fake_above,
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
    direction = _DIRECTIONS[label.value]
    exact = score.relation is Relation.SAME_FILE
    sure = "" if score.probability is None else f" ({score.band.value.replace('_', ' ')}, {score.note})"
    return Evidence(
        kind=EvidenceKind.CRYPTOGRAPHIC if exact else EvidenceKind.STATISTICAL,
        direction=Direction.NEUTRAL if score.band is Band.UNTRAINED_DETECTOR else direction,
        statement=f"{what} {match.image.image.sha256[:16]}, {who}{sure}.",
        measure=score.measure,
        value=score.value,
        threshold=score.threshold,
        tool="dejafake",
        tool_version=__version__,
    )


def _listed_evidence(match: ListedMatch) -> Evidence:
    entry, score = match.entry, match.score
    same_file = match.relation is Relation.SAME_FILE
    what = "Same bytes as" if same_file else f"PDQ distance {score.value:.0f} of 256 to"
    return Evidence(
        kind=EvidenceKind.CRYPTOGRAPHIC if same_file else EvidenceKind.STATISTICAL,
        direction=_DIRECTIONS[entry.label],
        statement=f"{what} an entry listed as {entry.label.value} by {entry.source}; no picture is held.",
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
    listed: Sequence[ListedMatch],
    finding: DetectorFinding | None,
    calibration: CalibrationVersion | None,
    likeness_assessed: bool,
    pictures_assessed: bool,
    outcome: Outcome,
) -> list[str]:
    limits = [] if finding is None else detector_limits(finding, calibration)
    if not pictures_assessed:
        limits.append(LIMIT_LOW_QUALITY)
    relations = [*(match.relation for match in holding), *(match.relation for match in listed)]
    if Relation.SAME_PICTURE in relations:
        limits.append(LIMIT_LOCAL_EDIT)
    if listed:
        limits.append(LIMIT_LISTED)
    if likeness_assessed:
        limits += cosine_limits(None if calibration is None else calibration.calibration.same_origin)
    limits.append(LIMIT_NO_MATCH if outcome is Outcome.NO_MATCH_FOUND else LIMIT_LIKENESS)
    return limits
