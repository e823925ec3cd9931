"""What each thing of the catalogue is in STIX 2.1: observables for the picture and its places, notes for its labels."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stix2.v21 import (
    URL,
    Artifact,
    AttackPattern,
    ExtensionDefinition,
    File,
    Grouping,
    Identity,
    Note,
    ObservedData,
    Report,
    UserAccount,
)
from stix2.v21 import Campaign as StixCampaign

from indexer.catalog.campaign_records import Decision
from indexer.catalog.records import Campaign, ImageDetails, Sighting
from indexer.exchange.description import described, label_in_words
from indexer.exchange.stix.naming import BEGINNING, as_uri, stix_id, usable_time
from indexer.exchange.web_terms import media_type
from indexer.vocabulary import LabelValue, Technique

TOOL = Identity(
    id=stix_id("identity", "dejafake"),
    created=BEGINNING,
    modified=BEGINNING,
    name="dejafake",
    identity_class="system",
    description="A catalogue of known deepfakes. Labels are those of the sources it names, not its own findings.",
)
EXTENSION_ID = stix_id("extension-definition", "pdq")
EXTENSION = ExtensionDefinition(
    id=EXTENSION_ID,
    created_by_ref=TOOL.id,
    created=BEGINNING,
    modified=BEGINNING,
    name="PDQ perceptual hash of an image",
    description="The 256-bit PDQ hash of the picture that the bytes show, with its quality and how it was taken.",
    schema=json.dumps(
        {
            "type": "object",
            "properties": {
                "extension_type": {"const": "property-extension"},
                "pdq": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "pdq_quality": {"type": "integer", "minimum": 0, "maximum": 100},
                "pdq_method": {"type": "string"},
            },
            "required": ["extension_type", "pdq", "pdq_quality"],
        },
        sort_keys=True,
    ),
    version="1.0.0",
    extension_types=["property-extension"],
)

_AI_IMAGES, _CHEAP_FAKES = "T0086.002", "T0086.003"
_PATTERN_NAMES = {_AI_IMAGES: "Images generated or altered by AI", _CHEAP_FAKES: "Images edited by ordinary means"}
_LIKENESS = "Images that dejafake grouped because they are copies of one picture or alike by embedding. "
_UNCONFIRMED = "Found by a program and confirmed by nobody: likeness is not proof of common authorship."
_CONFIRMED = "Found by a program; an analyst concluded that they are one campaign."


@dataclass(frozen=True, slots=True)
class ImageObjects:
    """The objects of one image. `refs` are those that stand for it in a grouping; `latest` is their newest time."""

    objects: tuple[Any, ...]
    refs: tuple[str, ...]
    latest: datetime


def attack_pattern_of(details: ImageDetails) -> Any | None:
    """The DISARM technique of a known fake, by its number; None where none is known. The names are ours."""
    label = details.image.label
    if label.value is not LabelValue.FAKE or label.technique is Technique.UNKNOWN:
        return None
    number = _CHEAP_FAKES if label.technique is Technique.SPLICE else _AI_IMAGES
    return AttackPattern(
        id=stix_id("attack-pattern", "DISARM", number),
        created_by_ref=TOOL.id,
        created=BEGINNING,
        modified=BEGINNING,
        name=_PATTERN_NAMES[number],
        external_references=[{"source_name": "DISARM", "external_id": number}],
    )


def image_objects(details: ImageDetails) -> ImageObjects:
    """File, Artifact, places and accounts, one Observed Data a sighting, the DISARM technique and a Note."""
    artifact = _artifact(details)
    file = File(
        hashes={"SHA-256": details.image.sha256},
        size=details.image.byte_size,
        mime_type=media_type(details.image),
        **({} if artifact is None else {"content_ref": artifact.id}),
    )
    picture = [file] if artifact is None else [artifact, file]
    observed = [one for seen in details.sightings for one in _observed(seen, file.id)]
    pattern = attack_pattern_of(details)
    about = [file.id] if pattern is None else [file.id, pattern.id]
    times = [details.image.added_at, *(label.stated_at for label in details.labels)]
    note = _note(details, about, max(times))
    sightings = [one for one in observed if one.type == "observed-data"]
    return ImageObjects(
        objects=(*picture, *observed, *([] if pattern is None else [pattern]), note),
        refs=(file.id, *(one.id for one in sightings), *about[1:], note.id),
        latest=max([*times, *(seen.recorded_at for seen in details.sightings)]),
    )


def _artifact(details: ImageDetails) -> Any | None:
    """The picture's bytes where they were seen, with the PDQ hash. Without an address there can be none. A File would
    take the extension too, but then its id would not be that of the same file in other bundles."""
    address = next((uri for seen in details.sightings if (uri := as_uri(seen.url))), None)
    if address is None:
        return None
    image = details.image
    pdq = {"pdq": image.pdq, "pdq_quality": image.pdq_quality, "pdq_method": image.pdq_method}
    return Artifact(
        url=address,
        hashes={"SHA-256": image.sha256},
        mime_type=media_type(details.image),
        extensions={EXTENSION_ID: {"extension_type": "property-extension", **pdq}},
    )


def _observed(seen: Sighting, file: str) -> Iterator[Any]:
    """The places of one sighting, and its Observed Data."""
    places: list[Any] = [URL(value=uri) for text in (seen.url, seen.archive_url) if (uri := as_uri(text))]
    if seen.account:
        kind = {"account_type": seen.platform} if seen.platform else {}
        places.append(UserAccount(account_login=seen.account, **kind))
    yield from places
    moment = usable_time(seen.posted_at) or seen.recorded_at
    facts = [seen.url, seen.archive_url, seen.platform, seen.account, str(seen.posted_at), seen.caption, seen.claim]
    yield ObservedData(
        id=stix_id("observed-data", file, json.dumps(facts)),
        created_by_ref=TOOL.id,
        created=seen.recorded_at,
        modified=seen.recorded_at,
        first_observed=moment,
        last_observed=moment,
        number_observed=1,
        object_refs=[file, *dict.fromkeys(place.id for place in places)],
    )


def _note(details: ImageDetails, about: Sequence[str], latest: datetime) -> Any:
    image = details.image
    return Note(
        id=stix_id("note", image.sha256),
        created_by_ref=TOOL.id,
        created=image.added_at,
        modified=latest,
        abstract=f"Image {image.sha256[:16]}: {label_in_words(image.label)}",
        content=described(details),
        authors=list(dict.fromkeys(stated.source for stated in details.labels)) or None,
        object_refs=list(about),
    )


def confirmed_campaign(campaign: Campaign, decision: Decision) -> Any:
    """The Campaign that an analyst's decision concluded a campaign to be."""
    seen = {"first_seen": usable_time(campaign.first_seen), "last_seen": usable_time(campaign.last_seen)}
    why = "" if decision.note is None else f": {decision.note}"
    return StixCampaign(
        id=stix_id("campaign", campaign.id),
        created_by_ref=TOOL.id,
        created=decision.at,
        modified=max(decision.at, campaign.updated_at),
        name=campaign.name,
        description=f"Concluded by {decision.by}{why}",
        external_references=[{"source_name": "dejafake", "external_id": campaign.id}],
        **{name: moment for name, moment in seen.items() if moment is not None},
    )


def grouping(campaign: Campaign, refs: Sequence[str]) -> Any:
    """A campaign as a clustering run found it. It is a Grouping: a Campaign would be an analyst's conclusion."""
    return Grouping(
        id=stix_id("grouping", campaign.id),
        created_by_ref=TOOL.id,
        created=campaign.created_at,
        modified=max(campaign.created_at, campaign.updated_at),
        name=campaign.name,
        description=_LIKENESS + (_CONFIRMED if campaign.confirmed else _UNCONFIRMED),
        context="unspecified",
        external_references=[{"source_name": "dejafake", "external_id": campaign.id}],
        object_refs=list(dict.fromkeys(refs)),
    )


def report(refs: Mapping[str, None], latest: datetime) -> Any:
    """The Report over everything exported; a set of other objects is another report."""
    return Report(
        id=stix_id("report", *sorted(refs)),
        created_by_ref=TOOL.id,
        created=latest,
        modified=latest,
        published=latest,
        name="Images of a dejafake catalogue",
        report_types=["observed-data"],
        object_refs=list(refs),
    )
