"""The images that stand for campaigns, by which campaigns are compared with each other."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.tables import CampaignMemberRow, CampaignRow, ImageRow


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An exemplar of a campaign. `pdq` is 32 bytes, its quality 0 to 100."""

    campaign: str
    name: str
    size: int
    image_id: int
    sha256: str
    pdq: bytes
    pdq_quality: int


def of_largest(session: Session, campaigns: int) -> tuple[Exemplar, ...]:
    """The exemplars of so many campaigns, the largest first; one statement."""
    largest = (
        select(CampaignRow.id, CampaignRow.name, CampaignRow.size)
        .order_by(CampaignRow.size.desc(), CampaignRow.id.desc())
        .limit(campaigns)
        .subquery()
    )
    statement = (
        select(largest.c.id, largest.c.name, largest.c.size, ImageRow.id, ImageRow.sha256, ImageRow.pdq)
        .add_columns(ImageRow.pdq_quality)
        .join(CampaignMemberRow, CampaignMemberRow.campaign_id == largest.c.id)
        .join(ImageRow, ImageRow.id == CampaignMemberRow.image_id)
        .where(CampaignMemberRow.exemplar)
        .order_by(largest.c.size.desc(), largest.c.id.desc(), CampaignMemberRow.rank)
    )
    return tuple(Exemplar(*row) for row in session.execute(statement))
