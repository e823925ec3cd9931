"""What files say of their own origin, into a bundle and out of it.

Nobody who gets a bundle has the file at hand, so nothing in it was verified there: a signature that the sender found
trusted is the sender's word.
"""

import json

from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.exchange.bundle.layout import BundledFinding, FindingFields
from indexer.vocabulary import EvidenceKind


def bundled(finding: ProvenanceFinding) -> BundledFinding:
    """A finding as it is written into a bundle."""
    return BundledFinding(
        kind=finding.kind,
        worth=finding.worth,
        statement=finding.statement,
        technique=finding.technique,
        made_with=finding.made_with,
        model_hash=finding.model_hash,
        digital_source_type=finding.digital_source_type,
        fields=FindingFields.model_validate_json(json.dumps(dict(finding.fields))),
    )


def unverified(said: BundledFinding) -> ProvenanceFinding:
    """A finding as it is stored after import: nothing was verified here, so its worth is never cryptographic."""
    fields, statement, worth = said.fields.model_dump(mode="json", exclude_defaults=True), said.statement, said.worth
    if worth is EvidenceKind.CRYPTOGRAPHIC:
        worth, statement = EvidenceKind.SELF_DECLARED, f"Verified by whoever sent it, not here: {statement}"
    state = fields.get("credentials", {})
    if state.get("validation_state") == "trusted":
        state["validation_state"] = "valid"
    return ProvenanceFinding(
        kind=said.kind,
        worth=worth,
        statement=statement,
        technique=said.technique,
        made_with=said.made_with,
        model_hash=said.model_hash,
        digital_source_type=said.digital_source_type,
        fields=fields,
    )
