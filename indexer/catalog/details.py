"""Everything the catalogue knows about images, fetched in one statement: each image with what hangs on it as JSON."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, select

from indexer.catalog.portable import json_rows, read_json_rows
from indexer.catalog.records import (
    CurrentLabel,
    Detection,
    Image,
    ImageDetails,
    Label,
    Membership,
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
    SightingRow,
    SourceRow,
)
from indexer.catalog.types import as_utc
from indexer.vocabulary import LabelSource, LabelValue, Technique

IMAGE_COLUMNS = tuple(ImageRow.__table__.columns)


def select_details() -> Select[Any]:
    """Images with everything about them; add conditions and order, and read rows with `details_of`."""
    return select(
        *IMAGE_COLUMNS, _labels(), _sightings(), _collections(), _campaigns(), _detections(), _sources()
    ).select_from(ImageRow)


def image_of(row: Row[Any]) -> Image:
    """The record of a row that begins with `IMAGE_COLUMNS`."""
    return Image(
        sha256=row.sha256,
        byte_size=row.byte_size,
        format=row.format,
        width=row.width,
        height=row.height,
        mode=row.mode,
        frames=row.frames,
        notes=tuple(row.notes),
        pdq=row.pdq.hex(),
        pdq_quality=row.pdq_quality,
        pdq_method=row.pdq_method,
        label=CurrentLabel(
            row.label, row.technique, row.generator, row.disputed, row.label_source_kind, row.label_source
        ),
        added_at=row.added_at,
    )


def details_of(row: Row[Any]) -> ImageDetails:
    """The record of a row of `select_details`."""
    return ImageDetails(
        image=image_of(row),
        labels=tuple(_label(values) for values in read_json_rows(row.labels)),
        sightings=tuple(_sighting(values) for values in read_json_rows(row.sightings)),
        collections=tuple(name for (name,) in read_json_rows(row.collections)),
        campaigns=tuple(_membership(values) for values in read_json_rows(row.campaigns)),
        detections=tuple(_detection(values) for values in read_json_rows(row.detections)),
        sources=tuple(Source(values[1], values[2], json.loads(values[3])) for values in read_json_rows(row.sources)),
    )


def _gathered(name: str, columns: Iterable[Any], *where: ColumnElement[bool]) -> ScalarSelect[str]:
    return select(json_rows(*columns)).where(*where).correlate(ImageRow).scalar_subquery().label(name)  # type: ignore[return-value]


def _labels() -> ScalarSelect[str]:
    row = LabelRow
    columns = (row.id, row.value, row.technique, row.generator, row.source_kind, row.source, row.reason, row.stated_at)
    return _gathered("labels", columns, row.image_id == ImageRow.id)


def _label(values: list[Any]) -> Label:
    _, value, technique, generator, kind, source, reason, stated_at = values
    return Label(
        LabelValue(value), Technique(technique), generator, LabelSource(kind), source, reason, _time(stated_at)
    )


def _sightings() -> ScalarSelect[str]:
    row = SightingRow
    seen = (row.url, row.archive_url, row.platform, row.account, row.posted_at, row.caption, row.language, row.claim)
    return _gathered("sightings", (row.id, *seen, row.recorded_at), row.image_id == ImageRow.id)


def _sighting(values: list[Any]) -> Sighting:
    _, url, archive_url, platform, account, posted_at, caption, language, claim, recorded_at = values
    posted = None if posted_at is None else _time(posted_at)
    return Sighting(url, archive_url, platform, account, posted, caption, language, claim, _time(recorded_at))


def _collections() -> ScalarSelect[str]:
    inside = CollectionImageRow.image_id == ImageRow.id
    return _gathered("collections", (CollectionRow.name,), inside, CollectionRow.id == CollectionImageRow.collection_id)


def _campaigns() -> ScalarSelect[str]:
    member = CampaignMemberRow
    columns = (CampaignRow.id, CampaignRow.name, member.strength, member.exemplar)
    return _gathered("campaigns", columns, member.image_id == ImageRow.id, CampaignRow.id == member.campaign_id)


def _membership(values: list[Any]) -> Membership:
    campaign, name, strength, exemplar = values
    return Membership(campaign, name, strength, bool(exemplar))


def _detections() -> ScalarSelect[str]:
    detector, said = DetectorRow, EmbeddingRow
    who = (detector.name, detector.fingerprint, detector.trained)
    columns = (said.id, *who, said.logits, said.p_fake, said.detected_at)
    return _gathered("detections", columns, said.image_id == ImageRow.id, detector.id == said.detector_id)


def _detection(values: list[Any]) -> Detection:
    _, name, fingerprint, trained, logits, p_fake, detected_at = values
    return Detection(name, fingerprint, bool(trained), tuple(json.loads(logits)), p_fake, _time(detected_at))


def _sources() -> ScalarSelect[str]:
    row = SourceRow
    return _gathered("sources", (row.id, row.source, row.location, row.fields), row.image_id == ImageRow.id)


def _time(text: str) -> datetime:
    return as_utc(datetime.fromisoformat(text))
