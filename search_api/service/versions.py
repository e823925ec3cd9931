"""The version of each resource that can be changed over HTTP or on a page: a digest of what is served of it.

The same state has the same version in every process and on every database; nothing is stored for it.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from pydantic_core import to_jsonable_python
from sqlalchemy.orm import Session

from indexer.catalog.campaigns import decisions, events
from indexer.catalog.records.campaigns import Campaign
from indexer.catalog.records.images import ImageDetails
from search_api.layers.errors import Change
from search_api.layers.preconditions import Version

_DIGITS: Final = 20
_CHANGES_MAX: Final = 20


def version(state: Any) -> Version:
    """The version of any resource, from what is served of it (a record or a model)."""
    return Version(_digest(state))


def image_version(details: ImageDetails) -> Version:
    """The version of an image: of its labels, its sightings, its collections, and of the rest."""
    spoken = (details.labels, details.sightings, details.collections)
    parts = [f"{len(part)}-{_digest(sorted(map(_text, part)))}" for part in spoken]
    rest = (details.image, details.campaigns, details.detections, details.sources, details.provenance)
    tag = ".".join([*parts, _digest((*rest, details.provenance_read_at))])
    return Version(tag, lambda before: _image_changes(details, before, tag))


def campaign_version(session: Session, campaign: Campaign) -> Version:
    """The version of a campaign: the number of the last decision about it, and what is served of it and its members'
    last event."""
    decided = decisions.page(session, 1, campaign=campaign.id).items
    happened = events.page(session, 1, campaign=campaign.id).items
    last = decided[0].id if decided else 0
    tag = f"{last}.{_digest((campaign, happened[0].id if happened else 0))}"
    return Version(tag, lambda before: _campaign_changes(session, campaign, before, last))


def _image_changes(details: ImageDetails, before: str, now: str) -> Sequence[Change]:
    old, new = before.split("."), now.split(".")
    if len(old) != len(new):
        return ()
    changes: list[Change] = []
    if old[0] != new[0]:
        labels = sorted(details.labels, key=lambda label: label.stated_at)[_count(old[0]) :]
        changes += [Change(what="label", value=said.value, by=said.source, at=said.stated_at) for said in labels]
    if old[1] != new[1]:
        sightings = sorted(details.sightings, key=lambda sighting: sighting.recorded_at)[_count(old[1]) :]
        changes += [Change(what="sighting", at=sighting.recorded_at) for sighting in sightings]
    if old[2] != new[2]:
        changes.append(Change(what="collections"))
    if old[3] != new[3] and not changes:  # the current label is part of the rest, too
        changes.append(Change(what="other"))
    return changes[:_CHANGES_MAX]


def _campaign_changes(session: Session, campaign: Campaign, before: str, last: int) -> Sequence[Change]:
    number = before.partition(".")[0]
    if not number.isdecimal() or len(number) > 18:
        return ()
    if int(number) == last:
        return (Change(what="other"),)
    recent: Iterable[Any] = decisions.page(session, _CHANGES_MAX, campaign=campaign.id).items
    return tuple(
        Change(what="decision", value=decision.kind, by=decision.by, at=decision.at)
        for decision in recent
        if decision.id > int(number)
    )


def _count(part: str) -> int:
    number = part.partition("-")[0]
    return int(number) if number.isdecimal() and len(number) < 10 else 0


def _digest(state: Any) -> str:
    return sha256(_text(state).encode()).hexdigest()[:_DIGITS]


def _text(state: Any) -> str:
    return json.dumps(to_jsonable_python(state), sort_keys=True, ensure_ascii=True)
