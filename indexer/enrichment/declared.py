"""What a row's picture says of its own origin, as cells. It is a claim of the file, and never changes an outcome."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from indexer.catalog.records import ProvenanceFinding
from indexer.vocabulary import EvidenceKind, ProvenanceKind

T = TypeVar("T")

_STRONGEST_FIRST = (EvidenceKind.CRYPTOGRAPHIC, EvidenceKind.STATISTICAL, EvidenceKind.SELF_DECLARED)
_BY_A_MODEL = (ProvenanceKind.GENERATION, ProvenanceKind.DECLARATION)


def declared_cells(provenance: Sequence[ProvenanceFinding]) -> tuple[str | None, ...]:
    """Generator, model, its hash, techniques, digital source type, state and signer of content credentials, and the
    worth of the strongest finding. Where several findings speak, the first one counts; all None when none does."""
    told = [one for one in provenance if one.kind is not ProvenanceKind.UNREADABLE]
    techniques = dict.fromkeys(technique.value for one in told for technique in one.techniques)
    return (
        _first(one.made_with for one in told if one.kind in _BY_A_MODEL),
        _first(_said(told, "generation", "model")),
        _first(one.model_hash for one in told),
        ";".join(techniques) or None,
        _first(one.digital_source_type for one in told),
        _first(_said(told, "credentials", "validation_state")),
        _first(_said(told, "credentials", "issuer")) or _first(_said(told, "credentials", "signer")),
        _first(worth.value for worth in _STRONGEST_FIRST if any(one.worth is worth for one in told)),
    )


def _said(told: Iterable[ProvenanceFinding], part: str, name: str) -> Iterator[str | None]:
    return (one.fields.get(part, {}).get(name) for one in told)


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
