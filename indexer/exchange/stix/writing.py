"""Writes a bundle object by object, each once, in an order that only the catalogue decides."""

from typing import Any, TextIO
from uuid import uuid5

from sqlalchemy.orm import Session

from indexer.catalog import campaign_decisions, campaigns
from indexer.catalog.records import ImageDetails
from indexer.exchange.stix.naming import BEGINNING, NAMESPACE
from indexer.exchange.stix.objects import EXTENSION, TOOL, confirmed_campaign, grouping, image_objects, report


class BundleWriter:
    """A STIX 2.1 bundle of images: a Report over all of it, a Grouping for each campaign that has images in it, and a
    Campaign for each of those that an analyst confirmed.

    Args:
        stream: where to; text.
        session: the state of the catalogue that is written; used at the end, for the campaigns.
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
        for one in image.objects:
            self._object(one)
        self._latest = max(self._latest, image.latest)
        for membership in details.campaigns:
            self._members.setdefault(membership.campaign, []).extend(image.refs)

    def finish(self) -> None:
        """Groupings, the report, and the id of the bundle, which follows from what is in it."""
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

    def _object(self, one: Any) -> None:
        if one.id not in self._written:
            self._stream.write(("," if self._written else "") + "\n" + one.serialize(sort_keys=True))
            self._written[one.id] = None
