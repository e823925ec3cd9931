"""The tables of the catalogue. Changes go through `migrations/`; the tests compare both.

`image` carries its current label and `collection`, `campaign` their sizes, so that a page of them is one index walk;
labels.py, collections.py, campaigns.py and images.py keep these copies true inside the same transaction.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from indexer.catalog.types import JsonText, OutsideText, UtcDateTime, Vector, word
from indexer.vocabulary import (
    CampaignState,
    EvidenceKind,
    HashAlgorithm,
    LabelSource,
    LabelValue,
    MemberState,
    ProvenanceKind,
    Technique,
)

RowId = BigInteger().with_variant(Integer, "sqlite")
AUTOINCREMENT = {"sqlite_autoincrement": True}
"""SQLite then never gives a deleted row's id to a new one: ids are watermarks."""


class Base(DeclarativeBase):
    """Base of all tables; names every constraint so that migrations can address it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy
        str: OutsideText,
        datetime: UtcDateTime,
        float: Double,
        LabelValue: word(LabelValue),
        LabelSource: word(LabelSource),
        EvidenceKind: word(EvidenceKind),
        ProvenanceKind: word(ProvenanceKind),
        Technique: word(Technique),
        HashAlgorithm: word(HashAlgorithm),
    }


def _id() -> Mapped[int]:
    return mapped_column(RowId, primary_key=True, autoincrement=True)


def _of(target: str, **options: Any) -> Mapped[int]:
    return mapped_column(RowId, ForeignKey(f"{target}.id", ondelete="CASCADE"), **options)


class ImageRow(Base):
    """One sequence of bytes, with the label its statements add up to. `provenance_read_at` is null until the file was
    read for what it says about its origin, which tells "says nothing" from "nobody looked"."""

    __tablename__ = "image"

    id: Mapped[int] = _id()
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    byte_size: Mapped[int] = mapped_column(BigInteger)
    format: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    mode: Mapped[str]
    frames: Mapped[int]
    notes: Mapped[list[str]] = mapped_column(JsonText)
    pdq: Mapped[bytes] = mapped_column(LargeBinary)
    pdq_quality: Mapped[int] = mapped_column(SmallInteger)
    pdq_method: Mapped[str]
    added_at: Mapped[datetime]
    label: Mapped[LabelValue]
    technique: Mapped[Technique]
    generator: Mapped[str | None]
    disputed: Mapped[bool]
    label_source_kind: Mapped[LabelSource | None]
    label_source: Mapped[str | None]
    provenance_read_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "label", "id"),
        Index(None, "technique", "id"),
        Index(None, "generator", "id"),
        Index(None, "label", "technique", "id"),
        Index(None, "label", "generator", "id"),
        Index(None, "technique", "generator", "id"),
        Index(None, "label", "technique", "generator", "id"),
        AUTOINCREMENT,
    )


class LabelRow(Base):
    """A statement about an image. What one source says in one `edition` is simultaneous (labels.py)."""

    __tablename__ = "label"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image", index=True)
    edition: Mapped[str]
    value: Mapped[LabelValue]
    technique: Mapped[Technique]
    generator: Mapped[str | None]
    source_kind: Mapped[LabelSource]
    source: Mapped[str]
    reason: Mapped[str | None]
    stated_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class SightingRow(Base):
    """An image seen somewhere. `digest` is over everything seen, so the same sighting is kept once; `posted_month`
    (types.py) splits a range of dates into streams that each have an index order (newest.py)."""

    __tablename__ = "sighting"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image")
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    url: Mapped[str | None]
    archive_url: Mapped[str | None]
    platform: Mapped[str | None]
    account: Mapped[str | None]
    posted_at: Mapped[datetime | None]
    posted_month: Mapped[int | None]
    caption: Mapped[str | None]
    language: Mapped[str | None]
    claim: Mapped[str | None]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("image_id", "digest"),
        Index(None, "platform", "image_id", "posted_at"),
        Index(None, "posted_month", "image_id", "posted_at"),
        Index(None, "platform", "posted_month", "image_id", "posted_at"),
        AUTOINCREMENT,
    )


class SeenAddressRow(Base):
    """An address of a sighting, page or archived copy, by its digest (types.py): what is searched for."""

    __tablename__ = "seen_address"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    image_id: Mapped[int] = _of("image", primary_key=True, index=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class SourceRow(Base):
    """Where an image's bytes came from. `digest` is over source and location."""

    __tablename__ = "source_record"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image")
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    source: Mapped[str]
    location: Mapped[str]
    fields: Mapped[Mapping[str, str]] = mapped_column(JsonText)
    recorded_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("image_id", "digest"), AUTOINCREMENT)


class ProvenanceRow(Base):
    """One thing an image's file says about its origin. `made_with_folded` is `made_with` without case, to search by;
    `fields` is what its kind has besides (provenance.py)."""

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
    fields: Mapped[Mapping[str, Any]] = mapped_column(JsonText)

    __table_args__ = (
        Index(None, "made_with_folded", "image_id"),
        Index(None, "model_hash", "image_id"),
        Index(None, "digital_source_type", "image_id"),
        AUTOINCREMENT,
    )


class DeclaredTechniqueRow(Base):
    """A technique that the findings of an image's file declare, each once: what is searched for. It is no label."""

    __tablename__ = "declared_technique"

    technique: Mapped[Technique] = mapped_column(primary_key=True)
    image_id: Mapped[int] = _of("image", primary_key=True, index=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class CollectionRow(Base):
    """A named set of images and how many it holds."""

    __tablename__ = "collection"

    id: Mapped[int] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str]
    images: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class CollectionImageRow(Base):
    """An image's place in a collection."""

    __tablename__ = "collection_image"

    collection_id: Mapped[int] = _of("collection", primary_key=True)
    image_id: Mapped[int] = _of("image", primary_key=True, index=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class DetectorRow(Base):
    """A detector that looked at images, by its fingerprint."""

    __tablename__ = "detector"

    id: Mapped[int] = _id()
    name: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(unique=True)
    trained: Mapped[bool]
    spec: Mapped[Mapping[str, Any]] = mapped_column(JsonText)
    added_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class EmbeddingRow(Base):
    """What one detector said of one image."""

    __tablename__ = "embedding"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image")
    detector_id: Mapped[int] = _of("detector")
    logits: Mapped[list[float]] = mapped_column(JsonText)
    p_fake: Mapped[float | None]
    detected_at: Mapped[datetime]
    vector: Mapped[npt.NDArray[np.float32]] = mapped_column(Vector)

    __table_args__ = (UniqueConstraint("image_id", "detector_id"), Index(None, "detector_id", "id"), AUTOINCREMENT)


class CalibrationRow(Base):
    """What a detector's scores meant on a labelled data set; `record` is its JSON (calibrations.py)."""

    __tablename__ = "calibration"

    id: Mapped[int] = _id()
    fingerprint: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    record: Mapped[str]
    measured_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("fingerprint", "version"), AUTOINCREMENT)


class HashListRow(Base):
    """A list of hashes that somebody else keeps, how many it holds, and what it says all of them are."""

    __tablename__ = "hash_list"

    id: Mapped[int] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    label: Mapped[LabelValue]
    hashes: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class ListedHashRow(Base):
    """A hash of a list: 32 bytes. Rows are only ever added, and vanish with their list (hash_lists.py)."""

    __tablename__ = "listed_hash"

    id: Mapped[int] = _id()
    list_id: Mapped[int] = _of("hash_list")
    algorithm: Mapped[HashAlgorithm]
    value: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("list_id", "algorithm", "value"),
        Index(None, "algorithm", "value"),
        Index(None, "algorithm", "id"),
        AUTOINCREMENT,
    )


class TombstoneRow(Base):
    """An image that was deleted, so that vector indexes and other teams can follow."""

    __tablename__ = "tombstone"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    reason: Mapped[str]
    deleted_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class CampaignRow(Base):
    """A campaign. `first_seen`, `last_seen` and `platforms` are as of the last run, or the last decision since that
    moved members; `state` and `confirmed` say what standing decisions add up to."""

    __tablename__ = "campaign"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str]
    size: Mapped[int]
    cohesion: Mapped[float]
    first_seen: Mapped[datetime | None]
    last_seen: Mapped[datetime | None]
    platforms: Mapped[list[str]] = mapped_column(JsonText)
    state: Mapped[CampaignState] = mapped_column(word(CampaignState), default=CampaignState.OPEN)
    confirmed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index(None, "size", "id"),)


class CampaignMemberRow(Base):
    """An image's place in a campaign; `rank` is the order members are shown in. `state` and `pinned` say what standing
    decisions add up to."""

    __tablename__ = "campaign_member"

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True)
    image_id: Mapped[int] = _of("image", primary_key=True, index=True)
    rank: Mapped[int]
    strength: Mapped[float]
    exemplar: Mapped[bool]
    reasons: Mapped[list[str]] = mapped_column(JsonText)
    state: Mapped[MemberState] = mapped_column(word(MemberState), default=MemberState.SUGGESTED)
    pinned: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (Index(None, "campaign_id", "rank"),)


class ClusteringRunRow(Base):
    """How campaigns were found, one row a run."""

    __tablename__ = "clustering_run"

    id: Mapped[int] = _id()
    fingerprint: Mapped[str]
    parameters: Mapped[Mapping[str, Any]] = mapped_column(JsonText)
    snapshot: Mapped[str]
    images: Mapped[int]
    campaigns: Mapped[int]
    noise: Mapped[int]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class ChangeRow(Base):
    """One row that counts the writing transactions."""

    __tablename__ = "change"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)


class JobRow(Base):
    """A batch of rows to answer. `lease_until` is how long `worker` has it; `callback_at` is when its end is told next,
    null when there is nothing (more) to tell."""

    __tablename__ = "job"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(255), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    answered: Mapped[int]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    worker: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    callback_url: Mapped[str | None]
    callback_at: Mapped[datetime | None]
    callback_attempts: Mapped[int]
    callback_delivered: Mapped[bool]

    __table_args__ = (Index(None, "finished_at", "created_at"), Index(None, "callback_at"))


class JobItemRow(Base):
    """One row of a job. `uploaded`: its picture lies among the job's files; `cells` is the answer as JSON, null until
    there is one."""

    __tablename__ = "job_item"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str | None] = mapped_column(String(64))
    pdq: Mapped[str | None] = mapped_column(String(64))
    uploaded: Mapped[bool]
    cells: Mapped[str | None]
    reason: Mapped[str | None]
