"""When and where campaigns were seen, as stored in their rows."""

from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.tables.campaigns import CampaignMemberRow, CampaignRow
from indexer.catalog.tables.sightings import SightingRow

_COLUMNS = ("first_seen", "last_seen", "platforms")


def bring_up_to_date(session: Session, campaign_id: str | None = None) -> None:
    """Recompute `first_seen`, `last_seen` and `platforms` of one campaign, or of all, from their members' sightings."""
    campaigns = select(CampaignRow.id)
    sightings = select(CampaignMemberRow.campaign_id).join(
        SightingRow, SightingRow.image_id == CampaignMemberRow.image_id
    )
    if campaign_id is not None:
        campaigns = campaigns.where(CampaignRow.id == campaign_id)
        sightings = sightings.where(CampaignMemberRow.campaign_id == campaign_id)
    updates: dict[str, dict[str, Any]] = {
        name: {"campaign": name, "new_first_seen": None, "new_last_seen": None, "new_platforms": []}
        for name in session.execute(campaigns).scalars()
    }
    dates = sightings.add_columns(func.min(SightingRow.posted_at), func.max(SightingRow.posted_at))
    for name, first, last in session.execute(dates.group_by(CampaignMemberRow.campaign_id)):
        updates[name] |= {"new_first_seen": first, "new_last_seen": last}
    platforms = sightings.add_columns(SightingRow.platform).where(SightingRow.platform.is_not(None)).distinct()
    for name, platform in session.execute(platforms):
        updates[name]["new_platforms"].append(platform)
    for update_values in updates.values():
        update_values["new_platforms"].sort()
    if updates:
        table = CampaignRow.__table__
        values = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in _COLUMNS}
        statement = update(CampaignRow).where(table.c.id == bindparam("campaign")).values(**values)
        session.connection().execute(statement, list(updates.values()))
