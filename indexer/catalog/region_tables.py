"""The table of local features, which only installations that search for regions fill."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables import AUTOINCREMENT, Base, RowId


class RegionFeaturesRow(Base):
    """The local features of one image: `points` 8 bytes each (x and y, float32, little-endian), `descriptors` 128."""

    __tablename__ = "region_features"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"), unique=True)
    points: Mapped[bytes] = mapped_column(LargeBinary)
    descriptors: Mapped[bytes] = mapped_column(LargeBinary)
    prepared_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)
