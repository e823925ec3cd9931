"""Everything the catalogue knows about images, fetched in one statement: each image with what hangs on it as JSON."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Label as SqlLabel
from sqlalchemy import Row, select
from sqlalchemy.sql.elements import ColumnElement

from indexer.catalog.portable import json_rows, nested_json
from indexer.catalog.records import (
    CurrentLabel,
    Detection,
    Image,
    ImageDetails,
    Label,
    Membership,
    ProvenanceFinding,
    Sighting,
    Source,
)
from indexer.catalog.tables import (
    CampaignMemberRow,
    CampaignRow,
    CollectionImageRow,
    CollectionRow,
    DetectorRow,
    EmbeddingRow,
    ImageRow,
    LabelRow,
    ProvenanceRow,
    SightingRow,
    SourceRow,
)
from indexer.catalog.types import as_utc
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, ProvenanceKind, Technique


def _gathered(name: str, columns: Sequence[Any], *where: ColumnElement[bool]) -> SqlLabel[str]:
    return select(json_rows(*columns)).where(*where).correlate(ImageRow).scalar_subquery().label(name)


IMAGE_COLUMNS = (
    ImageRow.id,
    ImageRow.sha256,
    ImageRow.byte_size,
    ImageRow.format,
    ImageRow.width,
    ImageRow.height,
    ImageRow.mode,
    ImageRow.frames,
    ImageRow.notes,
    ImageRow.pdq,
    ImageRow.pdq_quality,
    ImageRow.pdq_method,
    ImageRow.added_at,
    ImageRow.label,
    ImageRow.technique,
    ImageRow.generator,
    ImageRow.disputed,
    ImageRow.label_source_kind,
    ImageRow.label_source,
)

_LABEL = (
    LabelRow.id,
    LabelRow.value,
    LabelRow.technique,
    LabelRow.generator,
    LabelRow.source_kind,
    LabelRow.source,
    LabelRow.reason,
    LabelRow.stated_at,
)
_SIGHTING = (
    SightingRow.id,
    SightingRow.url,
    SightingRow.archive_url,
    SightingRow.platform,
    SightingRow.account,
    SightingRow.posted_at,
    SightingRow.caption,
    SightingRow.language,
    SightingRow.claim,
    SightingRow.recorded_at,
)
_COLLECTION = (CollectionRow.name,)
_CAMPAIGN = (CampaignRow.id, CampaignRow.name, CampaignMemberRow.strength, CampaignMemberRow.exemplar)
_DETECTION = (
    EmbeddingRow.id,
    DetectorRow.name,
    DetectorRow.fingerprint,
    DetectorRow.trained,
    nested_json(EmbeddingRow.logits),
    EmbeddingRow.p_fake,
    EmbeddingRow.detected_at,
)
_SOURCE = (SourceRow.id, SourceRow.source, SourceRow.location, nested_json(SourceRow.fields))
_PROVENANCE = (
    ProvenanceRow.id,
    ProvenanceRow.kind,
    ProvenanceRow.worth,
    ProvenanceRow.statement,
    ProvenanceRow.technique,
    ProvenanceRow.made_with,
    ProvenanceRow.model_hash,
    ProvenanceRow.digital_source_type,
    nested_json(ProvenanceRow.fields),
)

DETAILS = select(
    *IMAGE_COLUMNS,
    ImageRow.provenance_read_at,
    _gathered("labels", _LABEL, LabelRow.image_id == ImageRow.id),
    _gathered("sightings", _SIGHTING, SightingRow.image_id == ImageRow.id),
    _gathered(
        "collections",
        _COLLECTION,
        CollectionImageRow.image_id == ImageRow.id,
        CollectionRow.id == CollectionImageRow.collection_id,
    ),
    _gathered(
        "campaigns",
        _CAMPAIGN,
        CampaignMemberRow.image_id == ImageRow.id,
        CampaignRow.id == CampaignMemberRow.campaign_id,
    ),
    _gathered(
        "detections", _DETECTION, EmbeddingRow.image_id == ImageRow.id, DetectorRow.id == EmbeddingRow.detector_id
    ),
    _gathered("sources", _SOURCE, SourceRow.image_id == ImageRow.id),
    _gathered("provenance", _PROVENANCE, ProvenanceRow.image_id == ImageRow.id),
)
"""Images with everything about them; add conditions and an order, and read the rows with `details_of`."""


def image_of(row: Row[*tuple[Any, ...]]) -> Image:
    """The record of a row that begins with `IMAGE_COLUMNS`; by place, because a hundred rows by name take a while."""
    _id, sha256, byte_size, file_format, width, height, mode, frames, notes, pdq, quality, method, added_at = row[:13]
    label = CurrentLabel(*row[13:19])
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
    )


def details_of(rows: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[ImageDetails]:
    """The records of rows of `DETAILS`, whose JSON is parsed in one go: that is half the work."""
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
    """By id or name: databases aggregate in an order they do not promise."""
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


def _sighting(
    _id: int,
    url: str | None,
    archive_url: str | None,
    platform: str | None,
    account: str | None,
    posted_at: str | None,
    caption: str | None,
    language: str | None,
    claim: str | None,
    recorded_at: str,
) -> Sighting:
    posted = None if posted_at is None else _time(posted_at)
    return Sighting(url, archive_url, platform, account, posted, caption, language, claim, _time(recorded_at))


def _membership(campaign: str, name: str, strength: float, exemplar: int) -> Membership:
    return Membership(campaign, name, strength, bool(exemplar))


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
