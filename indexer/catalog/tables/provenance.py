"""Tables of what image files say about their own origin."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Index,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id, _of
from indexer.catalog.tables.types import JsonText, word
from indexer.vocabulary import (
    CredentialState,
    EvidenceKind,
    ProvenanceKind,
    Technique,
)


class ProvenanceRow(Base):
    """A statement in an image's file about its origin. `made_with_folded` is `made_with` case-folded, for lookups;
    `c2pa_state` what checking its C2PA manifest gave; `fields` holds what else its kind has (provenance.py).
    """

    __tablename__ = "provenance"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image", index=True)
    kind: Mapped[ProvenanceKind]
    worth: Mapped[EvidenceKind]
    statement: Mapped[str]
    technique: Mapped[Technique]
    made_with: Mapped[str | None]
    made_with_folded: Mapped[str | None]
    model_hash: Mapped[str | None]
    digital_source_type: Mapped[str | None]
    c2pa_state: Mapped[CredentialState | None] = mapped_column(word(CredentialState))
    fields: Mapped[Mapping[str, Any]] = mapped_column(JsonText)

    __table_args__ = (
        Index(None, "made_with_folded", "image_id"),
        Index(None, "model_hash", "image_id"),
        Index(None, "digital_source_type", "image_id"),
        Index(None, "c2pa_state", "image_id"),
        AUTOINCREMENT,
    )


class DeclaredTechniqueRow(Base):
    """A technique declared in an image's file, once each, for lookups. It is not a label."""

    __tablename__ = "declared_technique"

    technique: Mapped[Technique] = mapped_column(primary_key=True)
    image_id: Mapped[int] = _of("image", primary_key=True, index=True)

    __table_args__ = ({"sqlite_with_rowid": False},)
