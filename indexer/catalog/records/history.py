"""The record of an event in the history of an image."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class ImageEvent:
    """Something that happened to an image.

    Attributes:
        at: when, UTC.
        what: it was added, labelled, a sighting was recorded, or somebody decided about its campaign.
        by: who, where that is recorded.
        value: the label, the platform or account of the sighting, or the kind of decision.
        note: why.
        campaign: the campaign that was decided about.
        undone: the decision was taken back.
    """

    at: datetime
    what: Literal["added", "label", "sighting", "decision"]
    by: str | None = None
    value: str | None = None
    note: str | None = None
    campaign: str | None = None
    undone: bool = False
