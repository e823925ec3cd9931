"""Everything the catalogue knows about images, fetched in one statement: each image with its related rows as JSON."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import FromClause, Row, bindparam, select
from sqlalchemy import Label as SqlLabel
from sqlalchemy.sql.elements import ColumnElement

from indexer.catalog.campaigns.names import shown_name
from indexer.catalog.records.campaigns import Membership
from indexer.catalog.records.detections import Detection
from indexer.catalog.records.images import Image, ImageDetails
from indexer.catalog.records.labels import CurrentLabel, Label
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.catalog.records.sources import Source
from indexer.catalog.tables.campaigns import CampaignMemberRow, CampaignRow
from indexer.catalog.tables.collections import CollectionImageRow, CollectionRow
from indexer.catalog.tables.detections import DetectorRow, EmbeddingRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.labels import LabelRow
from indexer.catalog.tables.portable import among, json_rows, nested_json
from indexer.catalog.tables.provenance import ProvenanceRow
from indexer.catalog.tables.sightings import SightingRow
from indexer.catalog.tables.sources import SourceRow
from indexer.catalog.tables.types import as_utc
from indexer.sightings import SIGHTING_FIELDS, Sighting, SightingKind
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, MemberState, ProvenanceKind, Technique

# tables instead of mapped classes: ORM rows take twice as long
_CAMPAIGN_MEMBERS: FromClause = CampaignMemberRow.__table__
_CAMPAIGNS: FromClause = CampaignRow.__table__
_COLLECTION_IMAGES: FromClause = CollectionImageRow.__table__
_COLLECTIONS: FromClause = CollectionRow.__table__
_DETECTORS: FromClause = DetectorRow.__table__
_EMBEDDINGS: FromClause = EmbeddingRow.__table__
_IMAGES: FromClause = ImageRow.__table__
_LABELS: FromClause = LabelRow.__table__
_PROVENANCES: FromClause = ProvenanceRow.__table__
_SIGHTINGS: FromClause = SightingRow.__table__
_SOURCES: FromClause = SourceRow.__table__


def _gathered(name: str, columns: Sequence[Any], *where: ColumnElement[bool]) -> SqlLabel[str]:
    return select(json_rows(*columns)).where(*where).correlate(_IMAGES).scalar_subquery().label(name)


IMAGE_COLUMNS = (
    _IMAGES.c.id,
    _IMAGES.c.sha256,
    _IMAGES.c.byte_size,
    _IMAGES.c.format,
    _IMAGES.c.width,
    _IMAGES.c.height,
    _IMAGES.c.mode,
    _IMAGES.c.frames,
    _IMAGES.c.notes,
    _IMAGES.c.pdq,
    _IMAGES.c.pdq_quality,
    _IMAGES.c.pdq_method,
    _IMAGES.c.added_at,
    _IMAGES.c.content,
    _IMAGES.c.label,
    _IMAGES.c.technique,
    _IMAGES.c.generator,
    _IMAGES.c.disputed,
    _IMAGES.c.label_source_kind,
    _IMAGES.c.label_source,
)

_LABEL = (
    _LABELS.c.id,
    _LABELS.c.value,
    _LABELS.c.technique,
    _LABELS.c.generator,
    _LABELS.c.source_kind,
    _LABELS.c.source,
    _LABELS.c.reason,
    _LABELS.c.stated_at,
)
_SIGHTING = (
    _SIGHTINGS.c.id,
    *(_SIGHTINGS.c[name] for name in SIGHTING_FIELDS),
    _SIGHTINGS.c.recorded_at,
)
_SIGHTING_TIMES = [place for place, field in enumerate(SIGHTING_FIELDS.values()) if field.kind is SightingKind.TIME]
_COLLECTION = (_COLLECTIONS.c.name,)
_CAMPAIGN = (
    _CAMPAIGNS.c.id,
    _CAMPAIGNS.c.given_name,
    _CAMPAIGNS.c.size,
    _CAMPAIGNS.c.first_seen,
    _CAMPAIGN_MEMBERS.c.strength,
    _CAMPAIGN_MEMBERS.c.exemplar,
    _CAMPAIGN_MEMBERS.c.state,
)
_DETECTION = (
    _EMBEDDINGS.c.id,
    _DETECTORS.c.name,
    _DETECTORS.c.fingerprint,
    _DETECTORS.c.trained,
    nested_json(_EMBEDDINGS.c.logits),
    _EMBEDDINGS.c.p_fake,
    _EMBEDDINGS.c.detected_at,
)
_SOURCE = (_SOURCES.c.id, _SOURCES.c.source, _SOURCES.c.location, nested_json(_SOURCES.c.fields))
_PROVENANCE = (
    _PROVENANCES.c.id,
    _PROVENANCES.c.kind,
    _PROVENANCES.c.worth,
    _PROVENANCES.c.statement,
    _PROVENANCES.c.technique,
    _PROVENANCES.c.made_with,
    _PROVENANCES.c.model_hash,
    _PROVENANCES.c.digital_source_type,
    nested_json(_PROVENANCES.c.fields),
)

DETAILS = select(
    *IMAGE_COLUMNS,
    _IMAGES.c.provenance_read_at,
    _gathered("labels", _LABEL, _LABELS.c.image_id == _IMAGES.c.id),
    _gathered("sightings", _SIGHTING, _SIGHTINGS.c.image_id == _IMAGES.c.id),
    _gathered(
        "collections",
        _COLLECTION,
        _COLLECTION_IMAGES.c.image_id == _IMAGES.c.id,
        _COLLECTIONS.c.id == _COLLECTION_IMAGES.c.collection_id,
    ),
    _gathered(
        "campaigns",
        _CAMPAIGN,
        _CAMPAIGN_MEMBERS.c.image_id == _IMAGES.c.id,
        _CAMPAIGNS.c.id == _CAMPAIGN_MEMBERS.c.campaign_id,
    ),
    _gathered(
        "detections", _DETECTION, _EMBEDDINGS.c.image_id == _IMAGES.c.id, _DETECTORS.c.id == _EMBEDDINGS.c.detector_id
    ),
    _gathered("sources", _SOURCE, _SOURCES.c.image_id == _IMAGES.c.id),
    _gathered("provenance", _PROVENANCE, _PROVENANCES.c.image_id == _IMAGES.c.id),
)
"""Images with everything about them; read the rows with `details_of`."""

DETAILS_BY_ID = DETAILS.where(among(_IMAGES.c.id, "ids"))
"""Those whose internal ids are in the list parameter `ids`."""

DETAILS_BY_SHA256 = DETAILS.where(_IMAGES.c.sha256 == bindparam("sha256"))


def image_of(row: Row[*tuple[Any, ...]]) -> Image:
    """The record of a row that begins with `IMAGE_COLUMNS`; accessed by position, because access by name is slow."""
    _id, sha256, byte_size, file_format, width, height, mode, frames, notes, pdq, quality, method = row[:12]
    added_at, content = row[12:14]
    label = CurrentLabel(*row[14:20])
    return Image(
        sha256,
        byte_size,
        file_format,
        width,
        height,
        mode,
        frames,
        tuple(notes),
        pdq.hex(),
        quality,
        method,
        label,
        added_at,
        content,
    )


def details_of(rows: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[ImageDetails]:
    """The records of rows of `DETAILS`; their JSON is parsed in one call, which halves the work."""
    texts = (
        text or "[]"
        for row in rows
        for text in (
            row.labels,
            row.sightings,
            row.collections,
            row.campaigns,
            row.detections,
            row.sources,
            row.provenance,
        )
    )
    gathered = iter(json.loads(f"[{','.join(texts)}]"))
    for row in rows:
        yield ImageDetails(
            image=image_of(row),
            labels=tuple(_label(*values) for values in _sorted(next(gathered))),
            sightings=tuple(_sighting(*values) for values in _sorted(next(gathered))),
            collections=tuple(name for (name,) in _sorted(next(gathered))),
            campaigns=tuple(_membership(*values) for values in _sorted(next(gathered))),
            detections=tuple(_detection(*values) for values in _sorted(next(gathered))),
            sources=tuple(_source(*values) for values in _sorted(next(gathered))),
            provenance=tuple(_provenance(*values) for values in _sorted(next(gathered))),
            provenance_read_at=row.provenance_read_at,
        )


def _sorted(rows: list[list[Any]]) -> list[list[Any]]:
    """Sorted by id or name: the order of SQL aggregates is not guaranteed."""
    return sorted(rows, key=itemgetter(0)) if len(rows) > 1 else rows


def _label(
    _id: int,
    value: str,
    technique: str,
    generator: str | None,
    kind: str,
    source: str,
    reason: str | None,
    stated_at: str,
) -> Label:
    return Label(
        LabelValue(value), Technique(technique), generator, LabelSource(kind), source, reason, _time(stated_at)
    )


def _sighting(_id: int, *values: Any) -> Sighting:
    *said, recorded_at = values
    for name in _SIGHTING_TIMES:
        said[name] = None if said[name] is None else _time(said[name])
    return Sighting(*said, recorded_at=_time(recorded_at))


def _membership(
    campaign: str, given: str | None, size: int, first_seen: str | None, strength: float, exemplar: int, state: str
) -> Membership:
    name = shown_name(given, size, None if first_seen is None else _time(first_seen))
    return Membership(campaign, name, strength, bool(exemplar), MemberState(state))


def _detection(
    _id: int,
    name: str,
    fingerprint: str,
    trained: int,
    logits: list[float],
    p_fake: float | None,
    detected_at: str,
) -> Detection:
    return Detection(name, fingerprint, bool(trained), tuple(logits), p_fake, _time(detected_at))


def _source(_id: int, source: str, location: str, fields: dict[str, str]) -> Source:
    return Source(source, location, fields)


def _provenance(
    _id: int,
    kind: str,
    worth: str,
    statement: str,
    technique: str,
    made_with: str | None,
    model_hash: str | None,
    digital_source_type: str | None,
    fields: dict[str, Any],
) -> ProvenanceFinding:
    return ProvenanceFinding(
        ProvenanceKind(kind),
        EvidenceKind(worth),
        statement,
        Technique(technique),
        made_with,
        model_hash,
        digital_source_type,
        fields,
    )


def _time(text: str) -> datetime:
    return as_utc(datetime.fromisoformat(text))
