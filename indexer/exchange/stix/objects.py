"""Maps the catalogue to STIX 2.1: observables for pictures and where they were seen, notes for labels."""

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

from indexer.catalog.records.campaigns import Campaign, Decision
from indexer.catalog.records.images import ImageDetails
from indexer.exchange.description import described, label_in_words
from indexer.exchange.stix.naming import BEGINNING, as_uri, stix_id, usable_time
from indexer.exchange.web_terms import media_type
from indexer.sightings import Sighting
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
    """The objects of one image. `refs` are those listed in a grouping for it; `latest` is their newest time."""

    objects: tuple[Any, ...]
    refs: tuple[str, ...]
    latest: datetime


def attack_pattern_of(details: ImageDetails) -> Any | None:
    """The DISARM technique of a known fake, by its number; None if unknown. The names are ours."""
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
    """File, Artifact, addresses and accounts, one Observed Data per sighting, the DISARM technique and a Note."""
    artifact = _artifact(details)
    file = File(
        hashes={"SHA-256": details.image.sha256},
        size=details.image.byte_size,
        mime_type=media_type(details.image),
        **({} if artifact is None else {"content_ref": artifact.id}),
    )
    picture = [file] if artifact is None else [artifact, file]
    observed = [stix_object for seen in details.sightings for stix_object in _observed(seen, file.id)]
    pattern = attack_pattern_of(details)
    about = [file.id] if pattern is None else [file.id, pattern.id]
    times = [details.image.added_at, *(label.stated_at for label in details.labels)]
    note = _note(details, about, max(times))
    sightings = [stix_object for stix_object in observed if stix_object.type == "observed-data"]
    return ImageObjects(
        objects=(*picture, *observed, *([] if pattern is None else [pattern]), note),
        refs=(file.id, *(stix_object.id for stix_object in sightings), *about[1:], note.id),
        latest=max([*times, *(seen.recorded_at for seen in details.sightings)]),
    )


def _artifact(details: ImageDetails) -> Any | None:
    """The picture's bytes where they were seen, with the PDQ hash if it is the reference one. Without an address
    there can be none. A File would take the extension too, but then its id would not be that of the same file in other
    bundles."""
    address = next((uri for seen in details.sightings if (uri := as_uri(seen.url))), None)
    if address is None:
        return None
    image = details.image
    pdq = {"pdq": image.exchanged_pdq, "pdq_quality": image.pdq_quality, "pdq_method": image.pdq_method}
    extension = {EXTENSION_ID: {"extension_type": "property-extension", **pdq}}
    return Artifact(
        url=address,
        hashes={"SHA-256": image.sha256},
        mime_type=media_type(details.image),
        **({} if image.exchanged_pdq is None else {"extensions": extension}),
    )


def _observed(seen: Sighting, file: str) -> Iterator[Any]:
    """The addresses and accounts of one sighting, and its Observed Data."""
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
        object_refs=[file, *dict.fromkeys(address.id for address in places)],
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
    """The Campaign object of a campaign that an analyst confirmed."""
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
    """The Report that refers to everything exported; its id follows from the set of objects."""
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
