"""Records of the review queue: frozen dataclasses, free of SQLAlchemy."""

from dataclasses import dataclass
from datetime import datetime

from indexer.vocabulary import ReviewChoice, ReviewKind


@dataclass(frozen=True, slots=True)
class ReviewKey:
    """What waits for a decision: an image, why, and `subject`, the campaign or watch it is about, empty without one."""

    kind: ReviewKind
    sha256: str
    subject: str = ""

    @property
    def id(self) -> str:
        """The same in one word: `campaign_member.<sha256>.<campaign>`."""
        return ".".join(part for part in (self.kind.value, self.sha256, self.subject) if part)


@dataclass(frozen=True, slots=True)
class NewReviewDecision:
    """A decision to be stored; fields as of `ReviewDecision`."""

    key: ReviewKey
    choice: ReviewChoice
    by: str
    reason: str | None = None
    campaign_decision: int | None = None
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """What somebody decided about an item of the queue. `campaign_decision` is the number of the decision about the
    campaign that it made, and `labelled` whether it stated a label. `undone_by` and `undone_at`: who took it back."""

    number: int
    item: str
    kind: ReviewKind
    sha256: str
    subject: str
    choice: ReviewChoice
    reason: str | None
    by: str
    at: datetime
    campaign_decision: int | None
    labelled: bool
    undone_by: str | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class SuggestedMember:
    """An image that nobody confirmed in an open campaign, by its internal id."""

    campaign: str
    image_id: int
    sha256: str
    strength: float
