"""A catalogue of made-up known fakes in made-up campaigns, for what analysts decide about them."""

from datetime import UTC, datetime
from hashlib import sha256

from indexer.campaigns.grouping.evidence import known_fakes
from indexer.campaigns.identity.reconcile import FoundGroup, Measure, settle
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.database import Catalog
from indexer.catalog.images import images, labels
from indexer.catalog.records.campaigns import CampaignEvent, CampaignMember, ClusteringRun, Decision, Reason
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.settings import Settings
from indexer.vocabulary import CampaignEventKind, LabelSource, LabelValue, ReasonKind

_AT = datetime(2026, 11, 25, tzinfo=UTC)


def digest(number: int) -> str:
    """The SHA-256 of made-up image `number`."""
    return sha256(str(number).encode()).hexdigest()


def digests(*numbers: int) -> list[str]:
    return [digest(number) for number in numbers]


class Desk:
    """A catalogue and what a clustering of made-up groups does to it."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def add(self, *numbers: int, label: LabelValue = LabelValue.FAKE) -> None:
        with self.catalog.writing() as session:
            for number in numbers:
                image_id = images.add(session, _image(number))
                labels.state(session, image_id, [NewLabel(label, LabelSource.HUMAN, "desk")])

    def cluster(self, *groups: set[int], measure: Measure = lambda _members, _exemplars: 0.8) -> dict[str, set[str]]:
        """A run over all images that finds these groups; the campaigns afterwards."""
        fakes = known_fakes(self.catalog, Settings(), lambda _step, _done, _total: None)
        with self.catalog.writing() as session:
            found = [FoundGroup(tuple(_member(number) for number in sorted(group)), 0.9) for group in groups]
            settle(session, _run(), found, fakes, measure)
        return self.campaigns()

    def campaigns(self) -> dict[str, set[str]]:
        with self.catalog.reading() as session:
            ids = [one.id for one in campaigns.page(session, 100).items]
            return {name: {one.sha256 for one in campaigns.members(session, name, 100).items} for name in ids}

    def members(self, campaign: str) -> dict[str, CampaignMember]:
        with self.catalog.reading() as session:
            return {one.sha256: one for one in campaigns.members(session, campaign, 100).items}

    def of(self, number: int) -> str | None:
        """The campaign an image is in."""
        return next((name for name, members in self.campaigns().items() if digest(number) in members), None)

    def events(self, campaign: str | None = None) -> list[tuple[CampaignEventKind, str, str | None]]:
        """What happened, oldest first."""
        return [(event.kind, event.campaign, event.other) for event in self.history(campaign)]

    def history(self, campaign: str | None = None) -> list[CampaignEvent]:
        with self.catalog.reading() as session:
            return list(reversed(campaign_events.page(session, 100, campaign=campaign).items))

    def decisions(self, campaign: str | None = None) -> list[Decision]:
        """Newest first."""
        with self.catalog.reading() as session:
            return list(campaign_decisions.page(session, 100, campaign=campaign).items)


def _image(number: int) -> NewImage:
    pdq = sha256(f"pdq {number}".encode()).digest()
    return NewImage(digest(number), 1_000 + number, "JPEG", 64, 48, "RGB", 1, (), pdq, 90, "reference")


def _member(number: int) -> CampaignMember:
    return CampaignMember(digest(number), 0.5 + number / 1000, False, (Reason(ReasonKind.SAME_PICTURE, value=12.0),))


def _run() -> ClusteringRun:
    return ClusteringRun("f" * 64, {}, "snapshot", 9, 2, 1, _AT, _AT)
