"""The SQL conditions of an `ImageFilter`, for finding all images that meet it, and any page on PostgreSQL."""

from sqlalchemy import ColumnElement, select

from indexer.catalog.portable import one_of
from indexer.catalog.records import ImageFilter
from indexer.catalog.tables import (
    CollectionImageRow,
    CollectionRow,
    DeclaredTechniqueRow,
    ImageRow,
    ProvenanceRow,
    SightingRow,
)
from indexer.catalog.types import as_utc, clean_text, folded, month_of


def conditions(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    """Conditions on `image` that all must hold; none for an empty filter."""
    return [
        *_label_conditions(wanted),
        *_sighting_conditions(wanted),
        *_collection_conditions(wanted),
        *_provenance_conditions(wanted),
    ]


def _label_conditions(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.label is not None:
        found.append(ImageRow.label == wanted.label)
    if wanted.technique is not None:
        found.append(ImageRow.technique == wanted.technique)
    if wanted.generator is not None:
        found.append(ImageRow.generator == clean_text(wanted.generator).strip())
    return found


def _sighting_conditions(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    """Months are bounded besides the times themselves because they lead the index."""
    found: list[ColumnElement[bool]] = []
    if wanted.platform is not None:
        found.append(SightingRow.platform == clean_text(wanted.platform).strip())
    if wanted.posted_from is not None:
        found.append(SightingRow.posted_month >= month_of(wanted.posted_from))
        found.append(SightingRow.posted_at >= as_utc(wanted.posted_from))
    if wanted.posted_to is not None:
        found.append(SightingRow.posted_month <= month_of(wanted.posted_to))
        found.append(SightingRow.posted_at < as_utc(wanted.posted_to))
    return [ImageRow.id.in_(select(SightingRow.image_id).where(*found))] if found else []


def _collection_conditions(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    if not wanted.collections:
        return []
    named = one_of(CollectionRow.name, [clean_text(name).strip() for name in wanted.collections])
    inside = select(CollectionImageRow.image_id).join(CollectionRow).where(named)
    return [ImageRow.id.in_(inside)]


def _provenance_conditions(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    """Each condition by itself: what a generator wrote and what a signature says are different findings."""
    found: list[ColumnElement[bool]] = []
    if wanted.model_hash is not None:
        found.append(ProvenanceRow.model_hash == folded(wanted.model_hash))
    if wanted.made_with is not None:
        found.append(ProvenanceRow.made_with_folded == folded(wanted.made_with))
    if wanted.digital_source_type is not None:
        found.append(ProvenanceRow.digital_source_type == clean_text(wanted.digital_source_type).strip())
    told = [select(ProvenanceRow.image_id).where(one) for one in found]
    if wanted.declared_technique is not None:
        told.append(
            select(DeclaredTechniqueRow.image_id).where(DeclaredTechniqueRow.technique == wanted.declared_technique)
        )
    return [ImageRow.id.in_(images) for images in told]
