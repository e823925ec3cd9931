"""Tables of detectors, their results on images, and calibrations."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id, _of
from indexer.catalog.tables.types import JsonText, Vector


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
    """One detector's result on one image."""

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
    """A calibration of a detector on a labelled data set; `record` is its JSON (calibrations.py)."""

    __tablename__ = "calibration"

    id: Mapped[int] = _id()
    fingerprint: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    record: Mapped[str]
    measured_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("fingerprint", "version"), AUTOINCREMENT)
