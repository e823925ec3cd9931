"""Records of labels: what is said about an image, and what it adds up to."""

from dataclasses import dataclass
from datetime import datetime

from indexer.vocabulary import (
    LabelSource,
    LabelValue,
    Technique,
)


@dataclass(frozen=True, slots=True)
class NewLabel:
    """A statement about an image, by `source` (a person, a desk, a feed, a model), which is of `source_kind`.

    `edition` names the issue of a list the statement was read from: all statements of one source in one edition are
    simultaneous, a newer edition replaces the older ones. None: the statement stands alone and replaces earlier ones.
    """

    value: LabelValue
    source_kind: LabelSource
    source: str
    technique: Technique = Technique.UNKNOWN
    generator: str | None = None
    reason: str | None = None
    edition: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A stored label."""

    value: LabelValue
    technique: Technique
    generator: str | None
    source_kind: LabelSource
    source: str
    reason: str | None
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class CurrentLabel:
    """The current label of an image. Only each source's latest statements count, and only those of the highest
    precedence present. If they disagree, the value is `unknown` and `disputed` is true until a person settles it.
    """

    value: LabelValue
    technique: Technique
    generator: str | None
    disputed: bool
    source_kind: LabelSource | None
    source: str | None
