"""Counts of known fakes by trait: generator, technique, platform, account, claim, language, model, tool. An image
counts once per value, however often it was seen with it.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Select, distinct, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from indexer.catalog.tables.campaigns import CampaignMemberRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.catalog.tables.provenance import ProvenanceRow
from indexer.catalog.tables.sightings import SightingRow
from indexer.vocabulary import LabelValue, Technique, Trait

Column = InstrumentedAttribute[str] | InstrumentedAttribute[str | None] | InstrumentedAttribute[Technique]

_COLUMNS: Mapping[Trait, Column] = {
    Trait.GENERATOR: ImageRow.generator,
    Trait.TECHNIQUE: ImageRow.technique,
    Trait.PLATFORM: SightingRow.platform,
    Trait.ACCOUNT: SightingRow.account,
    Trait.CLAIM: SightingRow.claim,
    Trait.LANGUAGE: SightingRow.language,
    Trait.MODEL_HASH: ProvenanceRow.model_hash,
    Trait.TOOL: ProvenanceRow.made_with,
}


def members_with(session: Session, trait: Trait, campaign_id: str, *, least: int, most: int) -> dict[str, int]:
    """How many known fakes of a campaign have each value of a trait: the `most` most frequent values with at least
    `least` images.
    """
    column = _COLUMNS[trait]
    counted = func.count(distinct(ImageRow.id))
    statement = (
        _of_known_fakes(trait)
        .join(CampaignMemberRow, CampaignMemberRow.image_id == ImageRow.id)
        .where(CampaignMemberRow.campaign_id == campaign_id)
        .having(counted >= least)
        .order_by(counted.desc(), column)
        .limit(most)
    )
    return {str(value): count for value, count in session.execute(statement)}


def known_fakes_with(session: Session, trait: Trait, values: Iterable[str]) -> dict[str, int]:
    """How many known fakes of the catalogue have each of these values of a trait; one statement."""
    statement = _of_known_fakes(trait).where(one_of(_COLUMNS[trait], values))
    return {str(value): count for value, count in session.execute(statement)}


def known_fakes(session: Session, campaign_id: str | None = None) -> int:
    """How many known fakes there are, in the catalogue or in a campaign."""
    statement = select(func.count()).select_from(ImageRow).where(ImageRow.label == LabelValue.FAKE)
    if campaign_id is not None:
        statement = statement.join(CampaignMemberRow, CampaignMemberRow.image_id == ImageRow.id).where(
            CampaignMemberRow.campaign_id == campaign_id
        )
    return session.execute(statement).scalar_one()


def _of_known_fakes(trait: Trait) -> Select[str | Technique | None, int]:
    column = _COLUMNS[trait]
    statement = select(column, func.count(distinct(ImageRow.id))).select_from(ImageRow).group_by(column)
    if column.class_ is not ImageRow:
        statement = statement.join(column.class_, column.class_.image_id == ImageRow.id)
    statement = statement.where(ImageRow.label == LabelValue.FAKE, column.is_not(None))
    return statement.where(ImageRow.technique != Technique.UNKNOWN) if trait is Trait.TECHNIQUE else statement
