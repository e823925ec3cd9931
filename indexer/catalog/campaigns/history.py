"""Pages of what happened to campaigns and of what analysts decided: lists of one shape, newest first."""

from sqlalchemy import Row, Select, or_
from sqlalchemy.orm import Session

from indexer.catalog.cursors import PageRequest, Ts
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.campaigns import CampaignDecisionRow, CampaignEventRow


def newest_first(
    session: Session,
    table: type[CampaignDecisionRow | CampaignEventRow],
    statement: Select[*Ts],
    request: PageRequest,
    campaign: str | None,
) -> Page[Row[*Ts]]:
    """A page of the rows that `statement` selects from `table`, newest first; one statement.

    Args:
        request: read with the column `id`.
        campaign: only rows that involve it; None for all.
    """
    if campaign is not None:
        statement = statement.where(or_(table.campaign_id == campaign, table.other_id == campaign))
    if request.after:
        statement = statement.where(table.id < request.after[0])
    return request.rows(session, statement.order_by(table.id.desc()))
