"""What is known about an image, in sentences, for formats that have no fields for it."""

from indexer.catalog.records.images import ImageDetails
from indexer.catalog.records.labels import CurrentLabel

NOT_A_FINDING = (
    "A label is the statement of the source named. A detector's score is a signal, not proof; whether it is calibrated "
    "is not part of this export."
)


def label_in_words(label: CurrentLabel) -> str:
    """What the labels of an image add up to."""
    return "disputed: its labels disagree" if label.disputed else label.value.value


def described(details: ImageDetails) -> str:
    """Its label and who stated what, its PDQ hash where it is one that others can use, the words it was seen with, and
    detectors' scores, line by line."""
    image = details.image
    lines = [f"Label: {label_in_words(image.label)}."]
    if image.exchanged_pdq is not None:
        lines.append(f"PDQ {image.exchanged_pdq}, quality {image.pdq_quality}.")
    for stated in details.labels:
        kind = stated.source_kind.value.replace("_", " ")
        lines.append(
            f"{stated.source} ({kind}) stated {stated.value.value}, technique {stated.technique.value}"
            + (f", generator {stated.generator}" if stated.generator else "")
            + (f": {stated.reason}" if stated.reason else ".")
        )
    lines += [f"Seen with the words: {seen.caption}" for seen in details.sightings if seen.caption]
    lines += [f"Seen with the claim: {seen.claim}" for seen in details.sightings if seen.claim]
    lines += [
        f"Detector {said.detector} ({said.fingerprint[:16]}): p(fake) {said.p_fake:.6f}."
        for said in details.detections
        if said.p_fake is not None
    ]
    return "\n".join([*lines, NOT_A_FINDING])
