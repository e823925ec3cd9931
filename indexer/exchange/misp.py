"""Images as a MISP event, made offline. MISP has no object for a manipulated image: each one is a `file`, each sighting
a `microblog`, and an `annotation` says what is known of it. Needs the optional part `exchange`."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, TextIO
from uuid import UUID, uuid5

from pymisp import MISPEvent, MISPObject

from indexer.catalog.records.images import ImageDetails
from indexer.exchange.description import described
from indexer.exchange.web_terms import media_type, web_address
from indexer.sightings import Sighting
from indexer.vocabulary import Technique

_NAMESPACE = UUID("0d3c2ee4-4f0e-5d0c-8f57-3c2b8a1a5e0b")
_ORGANISATION_ONLY, _UNDEFINED, _INITIAL = 0, 4, 0
"""Distribution, threat level and analysis of the event: the importer decides who else may see it."""

_EMPTY = date(2026, 11, 1)
"""The date of an event without images."""


class EventWriter:
    """One MISP event with the objects of every image, written object by object.

    No attribute is meant for intrusion detection (`to_ids`): a label is a statement about a picture.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._first = True
        self._ids: list[str] = []
        self._latest: datetime | None = None
        stream.write('{"Event":{"Object":[')

    def write(self, details: ImageDetails) -> None:
        """The objects of one image."""
        for misp_object in _objects(details):
            self._stream.write(f"{'' if self._first else ','}\n{misp_object.to_json(sort_keys=True)}")
            self._first = False
            self._ids.append(misp_object.uuid)
        times = [details.image.added_at, *(label.stated_at for label in details.labels)]
        self._latest = max([*times, *([] if self._latest is None else [self._latest])])

    def finish(self) -> None:
        """The event's own fields; its id follows from the objects in it, its date from the catalogue."""
        event = MISPEvent()
        event.info = "Images of a dejafake catalogue"
        event.uuid = _uuid("event", *self._ids)
        event.date = _EMPTY if self._latest is None else self._latest.date()
        event.distribution, event.threat_level_id, event.analysis = _ORGANISATION_ONLY, _UNDEFINED, _INITIAL
        fields = json.dumps(json.loads(event.to_json()), sort_keys=True)
        self._stream.write(f"\n],{fields.removeprefix('{')}}}\n")


def _objects(details: ImageDetails) -> Iterator[Any]:
    image = details.image
    file = _object("file", image.sha256)
    digest = _add(file, "sha256", image.sha256)
    _add(file, "size-in-bytes", str(image.byte_size))
    _add(file, "mimetype", media_type(image))
    for tag in _tags(details):
        digest.add_tag(tag)
    yield file
    for number, seen in enumerate(details.sightings):
        post = _post(seen, image.sha256, number)
        if post is not None:
            _refer(post, file, "contains")
            yield post
    note = _object("annotation", image.sha256)
    _add(note, "text", described(details))
    _add(note, "type", "Other")
    _refer(note, file, "annotates")
    yield note


def _tags(details: ImageDetails) -> Iterator[str]:
    label = details.image.label
    if label.source is not None and not label.disputed:
        yield f'dejafake:label="{label.value.value}"'
        if label.technique is not Technique.UNKNOWN:
            yield f'dejafake:technique="{label.technique.value}"'


def _post(seen: Sighting, sha256: str, number: int) -> Any | None:
    """The object of a sighting; None for one without text or address, for which MISP has no object."""
    url, archive = web_address(seen.url), web_address(seen.archive_url)
    if not (url or archive or seen.caption):
        return None
    post = _object("microblog", sha256, str(number))
    for relation, value in (
        ("url", url),
        ("archive", archive),
        ("post", seen.caption),
        ("type", seen.platform),
        ("username", seen.account),
        ("language", seen.language),
        ("creation-date", None if seen.posted_at is None else seen.posted_at.isoformat()),
    ):
        if value:
            _add(post, relation, value)
    return post


def _object(kind: str, *facts: str) -> Any:
    misp_object = MISPObject(kind, strict=True)
    misp_object.uuid = _uuid(kind, *facts)
    return misp_object


def _add(misp_object: Any, relation: str, value: str) -> Any:
    return misp_object.add_attribute(relation, value=value, to_ids=False, uuid=_uuid(misp_object.uuid, relation))


def _refer(misp_object: Any, to: Any, relation: str) -> None:
    misp_object.add_reference(to.uuid, relation, uuid=_uuid(misp_object.uuid, relation, to.uuid))


def _uuid(*facts: str) -> str:
    return str(uuid5(_NAMESPACE, "\0".join(facts)))
