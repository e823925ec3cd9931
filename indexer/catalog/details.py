"""Everything the catalogue knows about images, fetched in one statement: each image with what hangs on it as JSON."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import FromClause, Row, bindparam, select
from sqlalchemy import Label as SqlLabel
from sqlalchemy.sql.elements import ColumnElement

from indexer.catalog.portable import among, json_rows, nested_json
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
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, MemberState, ProvenanceKind, Technique

# tables, not mapped classes: the ORM's way to rows takes twice as long
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
    _SIGHTINGS.c.url,
    _SIGHTINGS.c.archive_url,
    _SIGHTINGS.c.platform,
    _SIGHTINGS.c.account,
    _SIGHTINGS.c.posted_at,
    _SIGHTINGS.c.caption,
    _SIGHTINGS.c.language,
    _SIGHTINGS.c.claim,
    _SIGHTINGS.c.recorded_at,
)
_COLLECTION = (_COLLECTIONS.c.name,)
_CAMPAIGN = (
    _CAMPAIGNS.c.id,
    _CAMPAIGNS.c.name,
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


def _membership(campaign: str, name: str, strength: float, exemplar: int, state: str) -> Membership:
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
