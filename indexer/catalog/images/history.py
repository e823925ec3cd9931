"""What happened to an image: when it was added, who said what of it, and what was decided about its campaigns."""

from sqlalchemy.orm import Session

from indexer.catalog.campaigns import decisions
from indexer.catalog.records.history import ImageEvent
from indexer.catalog.records.images import ImageDetails


def events(session: Session, details: ImageDetails) -> tuple[ImageEvent, ...]:
    """The events of an image, newest first. Decisions are those of people that name it, the newest 200 of them."""
    image = details.image
    happened = [ImageEvent(at=image.added_at, what="added")]
    happened += [
        ImageEvent(at=said.stated_at, what="label", by=said.source, value=said.value, note=said.reason)
        for said in details.labels
    ]
    happened += [
        ImageEvent(at=seen.recorded_at, what="sighting", value=seen.platform or seen.account)
        for seen in details.sightings
    ]
    happened += [
        ImageEvent(
            at=decision.at,
            what="decision",
            by=decision.by,
            value=decision.kind,
            note=decision.note,
            campaign=decision.campaign,
            undone=decision.undone_by is not None,
        )
        for decision in decisions.about_image(session, image.sha256)
    ]
    return tuple(sorted(happened, key=lambda event: event.at, reverse=True))
