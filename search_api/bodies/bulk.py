"""What clients send to change or export many images at once, and what they get."""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, Field

from search_api.bodies.fields import Body, Sha256
from search_api.bodies.images import ImageChange

IMAGES_MAX: Final = 500
"""Most images of one request."""


class ExportFormat(StrEnum):
    """The formats that images are exported in."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    STIX = "stix"
    MISP = "misp"
    MEDIA_REVIEW = "mediareview"


class ImagesChange(ImageChange):
    """What to add to what is known of many images. Labels add up; none is overwritten."""

    images: tuple[Sha256, ...] = Field(min_length=1, max_length=IMAGES_MAX, description="SHA-256 of the images.")


class ImagesChanged(BaseModel):
    """What was changed.

    Attributes:
        labelled: images that got the label; those whose source had said exactly this before are not counted.
        collected: per collection that was added to, the images that were not in it before.
        uncollected: per collection that was removed from, how many images were in it.
    """

    labelled: int
    collected: dict[str, tuple[str, ...]]
    uncollected: dict[str, int]


class ImagesExport(Body):
    """Which images to export, and how."""

    images: tuple[Sha256, ...] = Field(min_length=1, max_length=IMAGES_MAX, description="SHA-256 of the images.")
    format: ExportFormat = Field(default=ExportFormat.CSV, description="Format of the file.")
