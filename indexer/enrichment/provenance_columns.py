"""What the file of a row's picture says about its origin, as cells. It is a claim and never changes an outcome."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.enrichment.columns import Column, ColumnGroup, text
from indexer.vocabulary import EvidenceKind, ProvenanceKind

T = TypeVar("T")


def _declared(name: str, meaning: str) -> Column:
    return text(name, meaning, of_picture=True)


COLUMNS = (
    _declared("generator_declared", "The generator the picture's file names. A file can say anything."),
    _declared("model_declared", "The model it names."),
    _declared("model_hash_declared", "Hash of that model."),
    _declared("technique_declared", "How the file says it was made; several joined by semicolons. It is no label."),
    _declared("digital_source_type", "The IPTC code the file declares, such as trainedAlgorithmicMedia."),
    _declared("c2pa_state", "Its C2PA manifest: trusted (by a trust anchor), valid (anyone can sign) or invalid."),
    _declared("c2pa_signer", "Who signed that, as the certificate says."),
    _declared(
        "provenance_worth",
        "What its strongest finding rests on: cryptographic, statistical or self_declared. Empty: it says "
        "nothing, which means nothing.",
    ),
)

_STRONGEST_FIRST = (EvidenceKind.CRYPTOGRAPHIC, EvidenceKind.STATISTICAL, EvidenceKind.SELF_DECLARED)
_BY_A_MODEL = (ProvenanceKind.GENERATION, ProvenanceKind.DECLARATION)


def declared_cells(provenance: Sequence[ProvenanceFinding]) -> tuple[str | None, ...]:
    """Generator, model, its hash, techniques, digital source type, state and signer of content credentials, and the
    worth of the strongest finding. Where several findings speak, the first one counts; all None when none does."""
    findings = [finding for finding in provenance if finding.kind is not ProvenanceKind.UNREADABLE]
    techniques = dict.fromkeys(technique.value for finding in findings for technique in finding.techniques)
    return (
        _first(finding.made_with for finding in findings if finding.kind in _BY_A_MODEL),
        _first(_said(findings, "generation", "model")),
        _first(finding.model_hash for finding in findings),
        ";".join(techniques) or None,
        _first(finding.digital_source_type for finding in findings),
        _first(_said(findings, "credentials", "validation_state")),
        _first(_said(findings, "credentials", "issuer")) or _first(_said(findings, "credentials", "signer")),
        _first(worth.value for worth in _STRONGEST_FIRST if any(finding.worth is worth for finding in findings)),
    )


def _said(findings: Iterable[ProvenanceFinding], part: str, name: str) -> Iterator[str | None]:
    return (finding.fields.get(part, {}).get(name) for finding in findings)


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


PROVENANCE = ColumnGroup(COLUMNS, lambda answer: declared_cells(answer.provenance))
"""The columns and what fills them."""
