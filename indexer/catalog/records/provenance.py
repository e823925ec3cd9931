"""The record of what an image's file says about its origin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.vocabulary import (
    EvidenceKind,
    ProvenanceKind,
    Technique,
)


@dataclass(frozen=True, slots=True)
class ProvenanceFinding:
    """A statement in an image's file about its origin, and how much it is worth: `cryptographic`, `self_declared`
    (anyone could have written it) or `statistical`.

    `made_with` is the tool, without its version; `digital_source_type` IPTC's code. `fields` holds what else its kind
    has (prompt, seed, LoRAs; signer, validation state; camera), as plain JSON without empty values.
    """

    kind: ProvenanceKind
    worth: EvidenceKind
    statement: str
    technique: Technique = Technique.UNKNOWN
    made_with: str | None = None
    model_hash: str | None = None
    digital_source_type: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def techniques(self) -> tuple[Technique, ...]:
        """All techniques it declares, most specific first; a picture made with a LoRA may also be inpainted."""
        listed = self.fields.get("generation", {}).get("techniques", ())
        known = [Technique(word) for word in (self.technique, *listed) if word in set(Technique)]
        return tuple(word for word in dict.fromkeys(known) if word is not Technique.UNKNOWN)
