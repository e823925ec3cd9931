"""Tables of copy descriptors, their embeddings, and packed local features."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id, _of
from indexer.catalog.tables.types import JsonText, Vector


class CopyDescriptorRow(Base):
    """A copy descriptor that looked at images, by its fingerprint; its embeddings have `dimension` numbers."""

    __tablename__ = "copy_descriptor"

    id: Mapped[int] = _id()
    name: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(unique=True)
    dimension: Mapped[int]
    spec: Mapped[Mapping[str, Any]] = mapped_column(JsonText)
    added_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class CopyEmbeddingRow(Base):
    """One copy descriptor's embedding of one image."""

    __tablename__ = "copy_embedding"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image")
    descriptor_id: Mapped[int] = _of("copy_descriptor")
    vector: Mapped[npt.NDArray[np.float32]] = mapped_column(Vector)

    __table_args__ = (UniqueConstraint("image_id", "descriptor_id"), Index(None, "descriptor_id", "id"), AUTOINCREMENT)


class LocalFeaturesRow(Base):
    """The local features of one image, as packed codes of the method `fingerprint`; empty codes: the picture was looked
    at and has too little in it."""

    __tablename__ = "local_features"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image", unique=True)
    fingerprint: Mapped[str]
    codes: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index(None, "fingerprint", "id"), AUTOINCREMENT)
