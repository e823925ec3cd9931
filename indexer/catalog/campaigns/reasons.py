"""Why images are in their campaigns, as kinds and numbers; sentences are made when they are shown. A reason is deleted
together with its membership or with the image it names, by foreign keys.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, aliased

from indexer.catalog.records.campaigns import Reason
from indexer.catalog.tables.campaigns import CampaignReasonRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of

_ROW = CampaignReasonRow


def put(session: Session, campaign_id: str, reasons: Mapping[int, Sequence[Reason]]) -> None:
    """Store the reasons of a campaign's members, by internal id; those naming a deleted image are left out."""
    put_all(session, [(campaign_id, image_id, some) for image_id, some in reasons.items()])


def put_all(session: Session, members: Sequence[tuple[str, int, Sequence[Reason]]]) -> None:
    """Store the reasons of new members: campaign, internal id, reasons. Those naming a deleted image are left out."""
    named = sorted({reason.other for _, _, some in members for reason in some if reason.other is not None})
    id_rows = session.execute(select(ImageRow.sha256, ImageRow.id).where(one_of(ImageRow.sha256, named)))
    ids = {row.sha256: row.id for row in id_rows}
    rows = [
        _row(campaign_id, image_id, position, reason, ids)
        for campaign_id, image_id, some in members
        for position, reason in enumerate(some)
        if reason.other is None or reason.other in ids
    ]
    if rows:
        session.connection().execute(insert(CampaignReasonRow), rows)


def of_images(session: Session, image_ids: Iterable[int]) -> dict[int, tuple[Reason, ...]]:
    """The reasons of members in display order, by internal id; one statement."""
    other = aliased(ImageRow)
    rows = session.execute(
        select(
            _ROW.image_id,
            _ROW.kind,
            other.sha256,
            _ROW.value,
            _ROW.probability,
            _ROW.mirrored,
            _ROW.rounded,
            _ROW.decision_id,
            _ROW.decision_kind,
            _ROW.text,
        )
        .outerjoin(other, other.id == _ROW.other_id)
        .where(one_of(_ROW.image_id, image_ids))
        .order_by(_ROW.image_id, _ROW.position)
    )
    by_image: dict[int, list[Reason]] = {}
    for image_id, *values in rows:
        by_image.setdefault(image_id, []).append(Reason(*values))
    return {image_id: tuple(reasons) for image_id, reasons in by_image.items()}


def _row(campaign_id: str, image_id: int, position: int, reason: Reason, ids: Mapping[str, int]) -> Mapping[str, Any]:
    return {
        "campaign_id": campaign_id,
        "image_id": int(image_id),
        "position": position,
        "kind": reason.kind,
        "other_id": None if reason.other is None else ids[reason.other],
        "value": None if reason.value is None else float(reason.value),
        "probability": None if reason.probability is None else float(reason.probability),
        "mirrored": reason.mirrored,
        "rounded": reason.rounded,
        "decision_id": reason.decision,
        "decision_kind": reason.decision_kind,
        "text": reason.text,
    }
