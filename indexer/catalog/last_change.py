"""When the catalogue last changed."""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.tables.campaigns import CampaignRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.sightings import SightingRow
from indexer.catalog.tables.types import as_utc


def at(session: Session) -> datetime:
    """The time of its newest image, sighting or change of a campaign; 1970 when it has none."""
    newest = (
        select(ImageRow.added_at).order_by(ImageRow.id.desc()).limit(1),
        select(SightingRow.recorded_at).order_by(SightingRow.id.desc()).limit(1),
        select(func.max(CampaignRow.updated_at)),
    )
    times = [session.execute(statement).scalar_one_or_none() for statement in newest]
    return max((as_utc(time) for time in times if time is not None), default=datetime.fromtimestamp(0, UTC))
