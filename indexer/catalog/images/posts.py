"""Dated sightings by an account, and which of their images are copies of each other that a clustering verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.images.filters import conditions
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.tables.campaigns import CampaignReasonRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.catalog.tables.sightings import SightingRow
from indexer.vocabulary import ReasonKind


@dataclass(frozen=True, slots=True)
class Post:
    """An account that posted an image at a known time. `sighting_id` and `image_id` are internal; `pdq` is 32 bytes."""

    sighting_id: int
    image_id: int
    sha256: str
    pdq: bytes
    pdq_quality: int
    content: int | None
    platform: str
    account: str
    posted_at: datetime


def dated(session: Session, image_filter: ImageFilter, most: int) -> list[Post]:
    """Up to `most` + 1 posts of the images that meet a filter, in the order they were recorded; those outside its dates
    and platform are left out. One statement."""
    statement = (
        select(
            SightingRow.id,
            SightingRow.image_id,
            ImageRow.sha256,
            ImageRow.pdq,
            ImageRow.pdq_quality,
            ImageRow.content,
            SightingRow.platform,
            SightingRow.account,
            SightingRow.posted_at,
        )
        .join(ImageRow, ImageRow.id == SightingRow.image_id)
        .where(SightingRow.account.is_not(None), SightingRow.posted_at.is_not(None), *conditions(image_filter))
        .order_by(SightingRow.id)
        .limit(most + 1)
    )
    if image_filter.platform is not None:
        statement = statement.where(SightingRow.platform == image_filter.platform)
    if image_filter.account is not None:
        statement = statement.where(SightingRow.account == image_filter.account)
    if image_filter.posted_from is not None:
        statement = statement.where(SightingRow.posted_at >= image_filter.posted_from)
    if image_filter.posted_to is not None:
        statement = statement.where(SightingRow.posted_at < image_filter.posted_to)
    rows = session.execute(statement)
    return [
        Post(number, image_id, sha256, pdq, quality, content, platform or "", account, at)
        for number, image_id, sha256, pdq, quality, content, platform, account, at in rows
        if at is not None and account is not None
    ]


def verified_pairs(session: Session, image_ids: Sequence[int]) -> list[tuple[int, int]]:
    """The pairs of these images that the last clustering verified as altered copies; one statement."""
    wanted = {*image_ids}
    rows = session.execute(
        select(CampaignReasonRow.image_id, CampaignReasonRow.other_id).where(
            CampaignReasonRow.kind == ReasonKind.VERIFIED_COPY, one_of(CampaignReasonRow.image_id, sorted(wanted))
        )
    )
    return [(image_id, other) for image_id, other in rows if other in wanted]
