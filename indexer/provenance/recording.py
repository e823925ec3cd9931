"""What a file says about its own origin, as stored in the catalogue and as evidence in a verdict.

It never makes an image fake or authentic and never changes an outcome: what a file claims does not decide whether it
is a known fake. Labels stay what people, feeds and models state.
"""

from collections.abc import Sequence
from dataclasses import asdict
from enum import Enum
from typing import Any, Final

from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.provenance import Finding, Provenance
from indexer.vocabulary import EvidenceKind

LIMIT_SELF_DECLARED: Final = (
    "What a file says of its own origin can be forged, copied from another file or removed; that it says nothing means "
    "nothing."
)
LIMIT_SIGNATURE: Final = (
    "A trusted C2PA signature says who vouches for the file and that it is unchanged since, not that what they say of "
    "the picture is true."
)


def as_findings(provenance: Provenance) -> tuple[ProvenanceFinding, ...]:
    """What the catalogue keeps of what was read."""
    return tuple(_as_finding(finding) for finding in provenance.findings)


def provenance_limits(findings: Sequence[ProvenanceFinding]) -> list[str]:
    """The limits of what a file says of itself, which hold when it says nothing, too."""
    vouched = any(finding.worth is EvidenceKind.CRYPTOGRAPHIC for finding in findings)
    return [LIMIT_SELF_DECLARED, LIMIT_SIGNATURE] if vouched else [LIMIT_SELF_DECLARED]


def _as_finding(finding: Finding) -> ProvenanceFinding:
    columns = ("kind", "worth", "statement", "technique", "made_with", "digital_source_type")
    rest = {name: value for name, value in asdict(finding).items() if name not in columns}
    return ProvenanceFinding(
        kind=finding.kind,
        worth=finding.worth,
        statement=finding.statement,
        technique=finding.technique,
        made_with=finding.made_with,
        model_hash=finding.model_hash,
        digital_source_type=finding.digital_source_type,
        fields=_without_empty(rest),
    )


def _without_empty(value: Any) -> Any:
    """JSON without what is empty, so that a row says only what the file says."""
    if isinstance(value, dict):
        kept = {name: _without_empty(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in (None, [], {})}
    if isinstance(value, (list, tuple)):
        return [_without_empty(inner) for inner in value]
    return value.value if isinstance(value, Enum) else value
