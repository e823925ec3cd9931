"""What image files say about their own origin: recorded when a file is read, replacing earlier findings."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.catalog.tables.provenance import DeclaredTechniqueRow, ProvenanceRow
from indexer.catalog.tables.types import NAME_LENGTH, clean_text, folded, utc_now
from indexer.vocabulary import CredentialState


def record(session: Session, image_id: int, findings: Sequence[ProvenanceFinding]) -> None:
    """Record that an image's file was read, and its findings, even if there are none."""
    take_over(session, image_id, findings)
    session.execute(
        update(ImageRow).where(ImageRow.id == image_id).values(provenance_read_at=utc_now()),
        execution_options={"synchronize_session": False},
    )


def take_over(session: Session, image_id: int, findings: Sequence[ProvenanceFinding]) -> None:
    """Store another installation's findings on an image's file; it still counts as unread here."""
    session.execute(delete(ProvenanceRow).where(ProvenanceRow.image_id == image_id))
    session.execute(delete(DeclaredTechniqueRow).where(DeclaredTechniqueRow.image_id == image_id))
    rows = [_row(image_id, finding) for finding in findings]
    if rows:
        session.execute(insert(ProvenanceRow), rows)
    declared = {technique for finding in findings for technique in finding.techniques}
    if declared:
        session.execute(
            insert(DeclaredTechniqueRow),
            [{"technique": declared_technique, "image_id": image_id} for declared_technique in sorted(declared)],
        )


def unread(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Which of the given images have not had their file read for provenance yet; one statement."""
    missing = ImageRow.provenance_read_at.is_(None)
    return set(session.scalars(select(ImageRow.id).where(one_of(ImageRow.id, image_ids), missing)))


def untold(session: Session, image_ids: Sequence[int]) -> set[int]:
    """Which of the given images have neither been read here nor have findings from elsewhere."""
    with_findings = select(ProvenanceRow.image_id).where(one_of(ProvenanceRow.image_id, image_ids))
    return unread(session, image_ids) - set(session.scalars(with_findings))


def credential_state(finding: ProvenanceFinding) -> CredentialState | None:
    """What checking a C2PA manifest gave; None for other findings, and for a manifest that was not fetched."""
    credentials = finding.fields.get("credentials")
    state = credentials.get("validation_state") if isinstance(credentials, Mapping) else None
    return CredentialState(state) if state in set(CredentialState) else None


def _row(image_id: int, finding: ProvenanceFinding) -> dict[str, Any]:
    made_with = _name(finding.made_with)
    return {
        "image_id": image_id,
        "kind": finding.kind,
        "worth": finding.worth,
        "statement": finding.statement,
        "technique": finding.technique,
        "made_with": made_with,
        "made_with_folded": None if made_with is None else folded(made_with),
        "model_hash": None if finding.model_hash is None else folded(_name(finding.model_hash) or ""),
        "digital_source_type": _name(finding.digital_source_type),
        "c2pa_state": credential_state(finding),
        "fields": _clean(finding.fields),
    }


def _name(text: str | None) -> str | None:
    """A name in indexed form. Files can contain anything: an overlong name is cut, not refused."""
    return None if text is None else clean_text(text).strip()[:NAME_LENGTH] or None


def _clean(value: Any) -> Any:
    """JSON whose strings every supported database can store."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(name)): _clean(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inner) for inner in value]
    return value
