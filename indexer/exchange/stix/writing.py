"""Writes a bundle object by object, each once, in an order that depends on the catalogue only."""

from typing import Any, TextIO
from uuid import uuid5

from sqlalchemy.orm import Session

from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.records.images import ImageDetails
from indexer.exchange.stix.naming import BEGINNING, NAMESPACE
from indexer.exchange.stix.objects import EXTENSION, TOOL, confirmed_campaign, grouping, image_objects, report


class BundleWriter:
    """A STIX 2.1 bundle of images: a Report on all of it, a Grouping for each campaign with images in it, and a
    Campaign for each campaign that an analyst confirmed.

    Args:
        stream: a text stream.
        session: the state of the catalogue that is written; also used by `finish`, for the campaigns.
    """

    def __init__(self, stream: TextIO, session: Session) -> None:
        self._stream = stream
        self._session = session
        self._written: dict[str, None] = {}
        self._members: dict[str, list[str]] = {}
        self._latest = BEGINNING
        stream.write('{"type":"bundle","objects":[')
        for fixed in (TOOL, EXTENSION):
            self._object(fixed)

    def write(self, details: ImageDetails) -> None:
        """The objects of one image."""
        image = image_objects(details)
        for stix_object in image.objects:
            self._object(stix_object)
        self._latest = max(self._latest, image.latest)
        for membership in details.campaigns:
            self._members.setdefault(membership.campaign, []).extend(image.refs)

    def finish(self) -> None:
        """Write groupings, the report, and the id of the bundle, which follows from its content."""
        for campaign_id, refs in sorted(self._members.items()):
            campaign = campaigns.get(self._session, campaign_id)
            if campaign is None:
                continue
            decision = campaign_decisions.confirmation(self._session, campaign_id)
            if decision is not None:
                concluded = confirmed_campaign(campaign, decision)
                self._object(concluded)
                refs.append(concluded.id)
                self._latest = max(self._latest, decision.at)
            self._object(grouping(campaign, refs))
            self._latest = max(self._latest, campaign.updated_at)
        about = report(dict(self._written), self._latest)
        self._object(about)
        self._stream.write(f'\n],"id":"bundle--{uuid5(NAMESPACE, about.id)}"}}\n')

    def _object(self, stix_object: Any) -> None:
        if stix_object.id not in self._written:
            self._stream.write(("," if self._written else "") + "\n" + stix_object.serialize(sort_keys=True))
            self._written[stix_object.id] = None
