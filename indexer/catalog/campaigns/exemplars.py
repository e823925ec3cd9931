"""The exemplars of campaigns, by which campaigns are compared with each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.campaigns.names import shown_name
from indexer.catalog.tables.campaigns import CampaignMemberRow, CampaignRow
from indexer.catalog.tables.images import ImageRow


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An exemplar of a campaign. `pdq` is 32 bytes, its quality 0 to 100; `content` as of an
    `Image`."""

    campaign: str
    name: str
    size: int
    image_id: int
    sha256: str
    pdq: bytes
    pdq_quality: int
    content: int | None = None


def of_largest(session: Session, campaigns: int) -> tuple[Exemplar, ...]:
    """The exemplars of the `campaigns` largest campaigns, largest first; one statement."""
    largest = (
        select(CampaignRow.id, CampaignRow.given_name, CampaignRow.size, CampaignRow.first_seen)
        .order_by(CampaignRow.size.desc(), CampaignRow.id.desc())
        .limit(campaigns)
        .subquery()
    )
    statement = (
        select(largest.c.id, largest.c.given_name, largest.c.size, largest.c.first_seen)
        .add_columns(ImageRow.id, ImageRow.sha256, ImageRow.pdq, ImageRow.pdq_quality, ImageRow.content)
        .join(CampaignMemberRow, CampaignMemberRow.campaign_id == largest.c.id)
        .join(ImageRow, ImageRow.id == CampaignMemberRow.image_id)
        .where(CampaignMemberRow.exemplar)
        .order_by(largest.c.size.desc(), largest.c.id.desc(), CampaignMemberRow.rank)
    )
    return tuple(
        Exemplar(name, shown_name(given, size, first_seen), size, *image)
        for name, given, size, first_seen, *image in session.execute(statement)
    )


def one_of_each(session: Session, campaign_ids: Sequence[str]) -> dict[str, str]:
    """The SHA-256 of the first exemplar of each of these campaigns, by campaign; one statement. A campaign without
    exemplars is left out."""
    rows = session.execute(
        select(CampaignMemberRow.campaign_id, ImageRow.sha256)
        .join(ImageRow, ImageRow.id == CampaignMemberRow.image_id)
        .where(CampaignMemberRow.campaign_id.in_(campaign_ids), CampaignMemberRow.exemplar)
        .order_by(CampaignMemberRow.rank.desc())
    )
    return {row.campaign_id: row.sha256 for row in rows}  # the last of each stays: the first in rank
