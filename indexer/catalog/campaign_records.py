"""What travels in and out of the histories of campaigns: frozen dataclasses, free of SQLAlchemy."""

from dataclasses import dataclass
from datetime import datetime

from indexer.vocabulary import CampaignEventKind, DecisionKind


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What happened to a campaign. `name` and `size` are as they are after it, or were at its end; `other` is the
    campaign it merged into or was split from; `added` and `removed` count images."""

    campaign: str
    kind: CampaignEventKind
    name: str
    size: int
    other: str | None = None
    added: int = 0
    removed: int = 0
    name_before: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignEvent:
    """Something that happened to a campaign. `run` or `decision` is what made it happen; neither: images came in or
    were deleted."""

    id: int
    campaign: str
    kind: CampaignEventKind
    other: str | None
    name: str
    name_before: str | None
    size: int
    added: int
    removed: int
    run: int | None
    decision: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a decision found an image and where it put it; None is in no campaign."""

    sha256: str
    was_in: str | None
    put_in: str | None


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision to record. `other`: the campaign merged into this one, or split off it."""

    kind: DecisionKind
    campaign: str
    by: str
    note: str | None = None
    other: str | None = None
    name: str | None = None
    name_before: str | None = None
    undoes: int | None = None
    images: tuple[Placement, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A recorded decision. `images` counts those it is about; `undone_by` is the decision that took it back."""

    id: int
    kind: DecisionKind
    campaign: str
    other: str | None
    name: str | None
    name_before: str | None
    by: str
    note: str | None
    at: datetime
    undoes: int | None
    undone_by: int | None
    images: int


@dataclass(frozen=True, slots=True)
class StandingDecision:
    """A decision that was not undone, with the images it is about."""

    decision: Decision
    images: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class RejectedMember:
    """An image that an analyst took out of a campaign for good."""

    sha256: str
    decision: int
    by: str
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredMember:
    """An image's place in the catalogue's campaigns, by its internal id; `campaign` None is in none."""

    image_id: int
    sha256: str
    is_fake: bool
    campaign: str | None
