"""The evidence of a verdict: what matches, hash lists, the detector, heads and the file itself say."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer import __version__
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.copies.verification.overlap import Box
from indexer.heads import HeadFinding
from indexer.verdict.alterations import alteration_words, percent
from indexer.verdict.case import Case
from indexer.verdict.findings import CalibrationReference, DetectorFinding, score_statement
from indexer.verdict.matches import ListedMatch, Match
from indexer.verdict.relations import Band, RelationScore
from indexer.vocabulary import Direction, EvidenceKind, LabelValue, Relation

_DIRECTIONS = {
    LabelValue.FAKE: Direction.SUPPORTS,
    LabelValue.AUTHENTIC: Direction.OPPOSES,
    LabelValue.UNKNOWN: Direction.NEUTRAL,
}
_MOST_NAMED = 10
"""Matches, and entries of hash lists, that the evidence names at least."""


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


def evidence_of(case: Case, reference: CalibrationReference | None) -> tuple[Evidence, ...]:
    """All evidence, of the matches first; `reference` names the calibration in use."""
    return (
        *(_match_evidence(match, score) for match in _named(case.holding) for score in match.scores if score.holds),
        *_detector_evidence(case.finding, reference),
        *map(_listed_evidence, _named_entries(case.listed)),
        *map(_head_evidence, case.heads),
        *map(_origin_evidence, case.origin or ()),
    )


def _detector_evidence(finding: DetectorFinding | None, reference: CalibrationReference | None) -> list[Evidence]:
    statement = None if finding is None else score_statement(finding, reference)
    if finding is None or finding.p_fake is None or statement is None:
        return []
    return [
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
    ]


def _named(holding: Sequence[Match]) -> list[Match]:
    """The strongest matches, and the strongest of each label that is not among them: what decides is named."""
    named = [*holding[:_MOST_NAMED]]
    for value in LabelValue:
        of_value = [match for match in holding if match.image.image.label.value is value]
        if of_value and of_value[0] not in named:
            named.append(of_value[0])
    return named


def _match_evidence(match: Match, score: RelationScore) -> Evidence:
    label = match.image.image.label
    who = f"labelled {label.value} by {label.source}" if label.source else "not labelled"
    what = {
        "sha256": "Same bytes as",
        "pdq_distance": f"PDQ distance {score.value:.0f} of 256 to",
        "overlap": f"{score.value:.0f} local features lie as in",
        "copy_cosine": f"Copy embedding with a normalised cosine of {score.value:.3f} to",
        "cls_cosine": f"Embedding cosine {score.value:.3f} to",
    }[score.measure]
    direction = _DIRECTIONS[label.value]
    exact = score.relation is Relation.SAME_FILE
    sure = "" if score.probability is None else f" ({score.band.value.replace('_', ' ')}, {score.note})"
    return Evidence(
        kind=EvidenceKind.CRYPTOGRAPHIC if exact else EvidenceKind.STATISTICAL,
        direction=Direction.NEUTRAL if score.band is Band.UNTRAINED_DETECTOR else direction,
        statement=f"{what} {match.image.image.sha256[:16]}, {who}{sure}{_where(match, score)}.",
        measure=score.measure,
        value=score.value,
        threshold=score.threshold,
        tool="dejafake",
        tool_version=__version__,
    )


def _where(match: Match, score: RelationScore) -> str:
    """Where verified pictures lie in each other: shares and boxes."""
    overlap = match.overlap
    if overlap is None or score.measure != "overlap":
        return ""
    words = alteration_words(overlap) if overlap.relation is Relation.SAME_PICTURE else ""
    return (
        f"{f' ({words})' if words else ''}: {percent(overlap.query_share)} of this picture at "
        f"{_box(overlap.query_box)}, {percent(overlap.known_share)} of the known one at {_box(overlap.known_box)}"
    )


def _box(box: Box) -> str:
    left, top, right, bottom = box
    return f"{right - left} x {bottom - top} from {left}, {top}"


def _named_entries(listed: Sequence[ListedMatch]) -> list[ListedMatch]:
    """The nearest entries, and the nearest of each label that is not among them."""
    named = [*listed[:_MOST_NAMED]]
    for value in LabelValue:
        of_value = [match for match in listed if match.entry.label is value]
        if of_value and of_value[0] not in named:
            named.append(of_value[0])
    return named


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


def _head_evidence(head: HeadFinding) -> Evidence:
    """What a team's own head says. It takes no side: it was not trained on known fakes of this catalogue."""
    return Evidence(
        kind=EvidenceKind.STATISTICAL,
        direction=Direction.NEUTRAL,
        statement=head.statement,
        measure=f"head_{head.target}",
        value=head.scores[0].score,
        threshold=None,
        tool=f"head {head.name}",
        tool_version=head.fingerprint[:16],
    )


def _origin_evidence(finding: ProvenanceFinding) -> Evidence:
    """What a file says of its own origin. It takes no side: that a model made a picture does not make it a known fake,
    and a camera's signature does not keep it from deriving from one."""
    return Evidence(
        kind=finding.worth,
        direction=Direction.NEUTRAL,
        statement=finding.statement,
        measure=f"provenance_{finding.kind.value}",
        value=finding.model_hash or finding.digital_source_type or finding.made_with or finding.technique.value,
        threshold=None,
        tool="dejafake",
        tool_version=__version__,
    )
