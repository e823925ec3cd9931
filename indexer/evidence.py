"""One piece of evidence in a verdict, and those that come from heads and from what a file says of itself."""

from dataclasses import dataclass

from indexer import __version__
from indexer.catalog.records import ProvenanceFinding
from indexer.heads import HeadFinding
from indexer.vocabulary import Direction, EvidenceKind


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


def head_evidence(head: HeadFinding) -> Evidence:
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


def origin_evidence(finding: ProvenanceFinding) -> Evidence:
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
