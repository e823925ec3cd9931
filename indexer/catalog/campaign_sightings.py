"""When and where campaigns were seen, as their rows have it."""

from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.tables import CampaignMemberRow, CampaignRow, SightingRow

_COLUMNS = ("first_seen", "last_seen", "platforms")


def bring_up_to_date(session: Session, campaign_id: str | None = None) -> None:
    """Make `first_seen`, `last_seen` and `platforms` of a campaign, or of all, follow from their members' sightings."""
    campaigns = select(CampaignRow.id)
    seen = select(CampaignMemberRow.campaign_id).join(SightingRow, SightingRow.image_id == CampaignMemberRow.image_id)
    if campaign_id is not None:
        campaigns = campaigns.where(CampaignRow.id == campaign_id)
        seen = seen.where(CampaignMemberRow.campaign_id == campaign_id)
    found: dict[str, dict[str, Any]] = {
        name: {"campaign": name, "new_first_seen": None, "new_last_seen": None, "new_platforms": []}
        for name in session.execute(campaigns).scalars()
    }
    dates = seen.add_columns(func.min(SightingRow.posted_at), func.max(SightingRow.posted_at))
    for name, first, last in session.execute(dates.group_by(CampaignMemberRow.campaign_id)):
        found[name] |= {"new_first_seen": first, "new_last_seen": last}
    platforms = seen.add_columns(SightingRow.platform).where(SightingRow.platform.is_not(None)).distinct()
    for name, platform in session.execute(platforms):
        found[name]["new_platforms"].append(platform)
    for one in found.values():
        one["new_platforms"].sort()
    if found:
        table = CampaignRow.__table__
        values = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in _COLUMNS}
        statement = update(CampaignRow).where(table.c.id == bindparam("campaign")).values(**values)
        session.connection().execute(statement, list(found.values()))
