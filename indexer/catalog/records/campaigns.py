"""Records of campaigns and their histories: frozen dataclasses, free of SQLAlchemy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from indexer.vocabulary import (
    CampaignEventKind,
    CampaignState,
    DecisionKind,
    MemberState,
    ReasonKind,
)


@dataclass(frozen=True, slots=True)
class Membership:
    """An image's place in a campaign. `strength` in [0, 1]; `state` says whether an analyst confirmed it."""

    campaign: str
    name: str
    strength: float
    exemplar: bool
    state: MemberState = MemberState.SUGGESTED


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an image is in its campaign; fields that do not apply to its kind are None or False.

    Attributes:
        kind: what links it.
        other: SHA-256 of the image it is linked to.
        value: of `same_picture` the PDQ distance in bits of 256; of `verified_copy` how many local features lie alike;
            of `same_origin` the cosine, -1 to 1.
        probability: of a common origin, by the calibration in use when it was linked.
        mirrored: whether it is a mirrored copy.
        rounded: whether an older version truncated `value` to two decimals.
        decision, decision_kind: what an analyst decided.
        text: the sentence of an older version that could not be read.
    """

    kind: ReasonKind
    other: str | None = None
    value: float | None = None
    probability: float | None = None
    mirrored: bool = False
    rounded: bool = False
    decision: int | None = None
    decision_kind: DecisionKind | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignMember:
    """A member of a campaign. `strength` in [0, 1] is that of the evidence, 0 for a member that an analyst added
    without any; `reasons` are kinds and numbers, worded when shown. `state`: whether an analyst confirmed it; `pinned`:
    whether an analyst keeps it there regardless of later runs.
    """

    sha256: str
    strength: float
    exemplar: bool
    reasons: tuple[Reason, ...]
    state: MemberState = MemberState.SUGGESTED
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Campaign:
    """A group of images that belong together. `cohesion` is the mean cosine of members to their nearest exemplar: of
    embeddings, or of PDQ hashes (1 - distance / 128) when the run used no embeddings; it dates from the last run; a
    campaign split off since has that of its origin. `confirmed`: whether an analyst confirmed that it is one campaign;
    `named`: whether a person gave it its name.
    """

    id: str
    name: str
    size: int
    cohesion: float
    first_seen: datetime | None
    last_seen: datetime | None
    platforms: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    state: CampaignState = CampaignState.OPEN
    confirmed: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """A campaign as a clustering run found it; `id` and `name` are already matched with earlier runs. `name` is the one
    a person gave it, if any. `members` pairs internal image ids with their membership.
    """

    id: str
    name: str | None
    cohesion: float
    members: Sequence[tuple[int, CampaignMember]]
    state: CampaignState = CampaignState.OPEN
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class ClusteringRun:
    """The run that found the campaigns now in the catalogue."""

    fingerprint: str
    parameters: Mapping[str, Any]
    snapshot: str
    images: int
    campaigns: int
    noise: int
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class CampaignName:
    """A campaign's name: `given` by a person, or else made from its size and `first_seen`."""

    given: str | None = None
    first_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event in the life of a campaign. `name` and `size` are those after it, or at its end; `other` is the
    campaign it merged into or was split from; `added` and `removed` count images; `name_before` is the name a person
    had given it."""

    campaign: str
    kind: CampaignEventKind
    name: CampaignName
    size: int
    other: str | None = None
    added: int = 0
    removed: int = 0
    name_before: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignEvent:
    """A stored event of a campaign. `run` or `decision` is its cause; neither: images were added, deleted or are no
    longer known fakes. `named`: whether a person gave it its name.
    """

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
    named: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image was before a decision and where it went; None means in no campaign."""

    sha256: str
    was_in: str | None
    put_in: str | None


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision to record. `other`: the campaign merged into this one, or split off it; `named_before`: a person had
    given `name_before`."""

    kind: DecisionKind
    campaign: str
    by: str
    note: str | None = None
    other: str | None = None
    name: str | None = None
    name_before: str | None = None
    named_before: bool = False
    undoes: int | None = None
    images: tuple[Placement, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A recorded decision. `images` counts the images it is about; `undone_by` is the decision that undid it;
    `named_before`: a person had given `name_before`."""

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
    named_before: bool = False


@dataclass(frozen=True, slots=True)
class StandingDecision:
    """A decision in force, with the images it is about."""

    decision: Decision
    images: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class RejectedMember:
    """An image that an analyst rejected from a campaign."""

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
