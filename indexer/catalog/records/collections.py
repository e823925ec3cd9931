"""The record of a named set of images."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of images."""

    name: str
    description: str
    images: int
    created_at: datetime
