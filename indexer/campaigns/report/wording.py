"""Sentences about campaigns: reasons, and what a link does and does not show.

Sentences are made here from kinds and numbers when they are shown; nothing parses them back.
"""

from indexer.calibration import CalibrationVersion
from indexer.campaigns.reasons import _cut
from indexer.campaigns.why import Explanation, Link, LinkKind
from indexer.verdict.limitations import LIMIT_SIGNAL, cosine_limits


def link_reasons(link: Link) -> tuple[str, ...]:
    """Why two images are linked, the strongest evidence first."""
    bits, cosine = link.pdq_distance, link.cosine
    reasons = []
    if link.kind is LinkKind.SAME_PICTURE and bits is not None:
        reasons.append(f"same picture{' mirrored' if link.mirrored else ''}, PDQ {bits}")
    if link.same_recipe:
        reasons.append("same model, seed and prompt by what the files say")
    elif link.same_model:
        reasons.append("same model hash by what the files say")
    if cosine is not None and (link.kind is LinkKind.SAME_ORIGIN or link.probability is not None):
        cut = _cut(cosine)
        measured = "uncalibrated" if link.probability is None else f"calibrated {link.probability:.2f}"
        reasons.append(
            f"same origin {cut:.2f}, {measured}" if link.kind is LinkKind.SAME_ORIGIN else f"cosine {cut:.2f}"
        )
    return tuple(reasons) or ("no direct link: they are linked through other images",)


def closeness_words(why: Explanation, size: int) -> str:
    """How close the `size` images of a campaign are to each other, and how near the next campaign is."""
    close = why.closeness
    if close.cohesion is None or close.cohesion_lowest is None:
        sentences = ["The images can only be compared with their exemplars."]
    else:
        by = "cosine of embeddings" if close.measure == "cosine" else "1 - PDQ distance / 128"
        sentences = [
            f"The average similarity of an image to its nearest exemplar is {close.cohesion:.2f}, the lowest "
            f"{close.cohesion_lowest:.2f} ({by}; 1 is identical)."
        ]
    if close.to_others is not None:
        border = ""
        if close.cohesion_lowest is not None and close.to_others > close.cohesion_lowest:
            border = ": nearer than this group's own farthest image, so the border between the two is not clear"
        elif close.cohesion_lowest is not None:
            border = ", farther away than every image of this group"
        sentences.append(f"The nearest exemplar of another campaign lies at {close.to_others:.2f}{border}.")
    if why.compared < size:
        sentences.append(f"Compared pair by pair: the first {why.compared:,} images.")
    return " ".join(sentences)


def campaign_limits(*, trained: bool, calibration: CalibrationVersion | None = None) -> tuple[str, ...]:
    """What a campaign does not show.

    Args:
        trained: whether the detector whose embeddings were compared was trained.
        calibration: the detector's calibration, if any.
    """
    return (
        "Likeness is not proof of common authorship. That images belong together here says nothing about who made, "
        "posted or paid for them.",
        *_detector_limits(trained, calibration),
        'Every member carries the label "fake" in this catalogue. This report does not test these labels; see who '
        "stated each.",
        "Perceptual hashes (PDQ) find re-shared copies. Two images can be near by PDQ and still differ in a detail "
        "that matters: compare them by eye.",
        "That members share model, seed and prompt is only what their files say, which can be forged.",
        "What is unusual here is unusual compared with this catalogue only. The test assumes independent images, "
        "which copies of one picture are not.",
        "Sightings are what was recorded in this catalogue. The first sighting known here need not be the first "
        "publication, and a platform that is not named may not have been searched.",
    )


def _detector_limits(trained: bool, calibration: CalibrationVersion | None) -> tuple[str, ...]:
    if not trained:
        return (
            "The detector was not trained, so its embeddings carry no information about the origin of an image and "
            "were not used. Campaigns are then copies of the same picture, found by perceptual hash; different "
            "pictures by the "
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
