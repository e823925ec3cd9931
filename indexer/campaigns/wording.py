"""What campaigns say to people: names, reasons, and what a link does and does not show."""

import re
from datetime import datetime

from indexer.catalog.campaign_records import Decision
from indexer.vocabulary import DecisionKind

SHORT = 12
"""Digits of a SHA-256 shown to people."""


_AUTOMATIC = re.compile(r"Campaign of \d[\d,]* images(, first seen \d{4,}-\d\d-\d\d)?")


def automatic_name(images: int, first_seen: datetime | None) -> str:
    """A neutral name: it says how many and since when, never who or why."""
    since = "" if first_seen is None else f", first seen {first_seen:%Y-%m-%d}"
    return f"Campaign of {images:,} images{since}"


def is_automatic(name: str) -> bool:
    """Whether a campaign still has a name of `automatic_name`, and nobody gave it another."""
    return _AUTOMATIC.fullmatch(name) is not None


def same_picture_reason(bits: int, other: str, *, mirrored: bool) -> str:
    """Why an image is in: a copy of `other` (SHA-256), perhaps mirrored, `bits` of 256 PDQ bits away."""
    return f"same picture{' mirrored' if mirrored else ''}, PDQ {bits} (to {other[:SHORT]})"


def same_origin_reason(cosine: float, other: str, probability: float | None = None) -> str:
    """Why an image is in: its embedding by a trained detector is near that of `other` (SHA-256). `probability`: of one
    origin, by the calibration in use."""
    cut = int(cosine * 100 + 1e-9) / 100  # never rounded up: 0.8999 is not 0.90
    if probability is not None:
        return f"same origin {cut:.2f}, calibrated {probability:.2f} (to {other[:SHORT]})"
    return f"same origin, cosine {cut:.2f} (uncalibrated) (to {other[:SHORT]})"


def same_recipe_reason(other: str) -> str:
    """Why an image is in: its file says that it was made like `other` (SHA-256)."""
    return f"same model, seed and prompt by what the files say (to {other[:SHORT]})"


def kept_reason(decision: Decision) -> str:
    """Why an image is in: an analyst's decision keeps it there, or an undo put it back."""
    done = "put back" if decision.kind is DecisionKind.UNDO else "kept here"
    return f"{done} by an analyst's decision {decision.id} ({decision.kind.value.replace('_', ' ')})"


JOINED_REASON = "joined when it was ingested; the next clustering run decides"
PLACED_REASON = "joined as nearest neighbour after the clustering"


def campaign_limits(*, trained: bool) -> tuple[str, ...]:
    """What a campaign does not show. `trained`: whether the detector whose embeddings were compared was trained."""
    about_detector = (
        "A detector's score is a signal, not proof. It is not calibrated on these images; a high score does not make "
        "an image fake, and a low one does not make it authentic.",
        "Cosines of embeddings are uncalibrated: nobody has measured how often images of different origin come this "
        "close.",
    )
    about_untrained = (
        "The detector was not trained, so its embeddings say nothing about the origin of an image and were not used. "
        "Campaigns are then copies of the same picture, found by perceptual hash; different pictures by the same maker "
        "are not found, nor are most copies with a crop, border or caption bar.",
    )
    return (
        "Likeness is not proof of common authorship. That images belong together here says nothing about who made, "
        "posted or paid for them.",
        *(about_detector if trained else about_untrained),
        'Every member carries the label "fake" in this catalogue. This report does not test these labels; see who '
        "stated each.",
        "Perceptual hashes (PDQ) find re-shared copies. Two images can be near by PDQ and still differ in a detail "
        "that matters: compare them with your own eyes.",
        "That members have the same model, seed and prompt is what their files say of themselves, which can be forged.",
        "Sightings are what was recorded in this catalogue. The first sighting known here need not be the first "
        "publication.",
    )
