"""What campaigns say to people: names, reasons, and what a link does and does not show."""

import re
from datetime import datetime

from indexer.calibration import CalibrationVersion, OriginMap
from indexer.campaigns.why import Explanation, Link, LinkKind
from indexer.catalog.campaign_records import Decision
from indexer.limitations import LIMIT_SIGNAL, cosine_limits
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


_UNCALIBRATED_ORIGIN = re.compile(r"same origin, cosine (-?\d\.\d\d) \(uncalibrated\)")


def calibrated_reason(reason: str, origin: OriginMap | None) -> str:
    """A stored reason with what a calibration says of its cosine, when there is one."""
    found = _UNCALIBRATED_ORIGIN.match(reason)
    if found is None or origin is None:
        return reason
    said = f"same origin {found[1]}, calibrated {origin.probability(float(found[1])):.2f}"
    return said + reason[found.end() :]


def link_reasons(link: Link) -> tuple[str, ...]:
    """Why two images are linked, the strongest evidence first."""
    bits, cosine = link.pdq_distance, link.cosine
    told = []
    if link.kind is LinkKind.SAME_PICTURE and bits is not None:
        told.append(f"same picture{' mirrored' if link.mirrored else ''}, PDQ {bits}")
    if link.same_recipe:
        told.append("same model, seed and prompt by what the files say")
    elif link.same_model:
        told.append("same model hash by what the files say")
    if cosine is not None and (link.kind is LinkKind.SAME_ORIGIN or link.probability is not None):
        cut = int(cosine * 100 + 1e-9) / 100
        measured = "uncalibrated" if link.probability is None else f"calibrated {link.probability:.2f}"
        told.append(f"same origin {cut:.2f}, {measured}" if link.kind is LinkKind.SAME_ORIGIN else f"cosine {cut:.2f}")
    return tuple(told) or ("no direct link: they are held together by others",)


def closeness_words(why: Explanation, size: int) -> str:
    """How close the images of a campaign of `size` are, and how near the next campaign is."""
    close = why.closeness
    if close.cohesion is None or close.cohesion_lowest is None:
        told = ["There is nothing to compare the images by but their exemplars."]
    else:
        by = "cosine of embeddings" if close.measure == "cosine" else "1 - PDQ distance / 128"
        told = [
            f"On average an image lies at {close.cohesion:.2f} from its nearest exemplar, the farthest at "
            f"{close.cohesion_lowest:.2f} ({by}; 1 is identical)."
        ]
    if close.to_others is not None:
        border = ""
        if close.cohesion_lowest is not None and close.to_others > close.cohesion_lowest:
            border = ": nearer than this group's own farthest image, so the border between the two is not clear"
        elif close.cohesion_lowest is not None:
            border = ", farther off than every image of this group"
        told.append(f"The nearest exemplar of another campaign lies at {close.to_others:.2f}{border}.")
    if why.compared < size:
        told.append(f"Compared pair by pair: the first {why.compared:,} images.")
    return " ".join(told)


def campaign_limits(*, trained: bool, calibration: CalibrationVersion | None = None) -> tuple[str, ...]:
    """What a campaign does not show.

    Args:
        trained: whether the detector whose embeddings were compared was trained.
        calibration: what its scores and cosines mean; None without one.
    """
    return (
        "Likeness is not proof of common authorship. That images belong together here says nothing about who made, "
        "posted or paid for them.",
        *_detector_limits(trained, calibration),
        'Every member carries the label "fake" in this catalogue. This report does not test these labels; see who '
        "stated each.",
        "Perceptual hashes (PDQ) find re-shared copies. Two images can be near by PDQ and still differ in a detail "
        "that matters: compare them with your own eyes.",
        "That members have the same model, seed and prompt is what their files say of themselves, which can be forged.",
        "What stands out against the catalogue stands out against what this catalogue holds, which is not all there "
        "is. The test takes images as independent, which copies of one picture are not.",
        "Sightings are what was recorded in this catalogue. The first sighting known here need not be the first "
        "publication, and a platform that is not named was perhaps not looked at.",
    )


def _detector_limits(trained: bool, calibration: CalibrationVersion | None) -> tuple[str, ...]:
    if not trained:
        return (
            "The detector was not trained, so its embeddings say nothing about the origin of an image and were not "
            "used. Campaigns are then copies of the same picture, found by perceptual hash; different pictures by the "
            "same maker are not found, nor are most copies with a crop, border or caption bar.",
        )
    if calibration is None:
        return (
            f"{LIMIT_SIGNAL} It is not calibrated on these images; a high score does not make an image fake, and a low "
            "one does not make it authentic.",
            "Cosines of embeddings are uncalibrated: nobody has measured how often images of different origin come "
            "this close.",
        )
    measured = calibration.calibration
    return (
        f"{LIMIT_SIGNAL} Its calibrated probability holds for pictures like those of {measured.data_set}, of which "
        f"{measured.fake_share:.0%} are fake; a high one does not make an image fake, and a low one does not make it "
        "authentic.",
        *cosine_limits(measured.same_origin),
    )
