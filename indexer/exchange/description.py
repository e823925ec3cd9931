"""What is known of an image in sentences, for formats that have no fields for it."""

from indexer.catalog.records import CurrentLabel, ImageDetails

NOT_A_FINDING = (
    "A label is the statement of the source named. A detector's score is a signal, not proof; whether it is calibrated "
    "is not part of this export."
)


def label_in_words(label: CurrentLabel) -> str:
    """What the labels of an image add up to."""
    return "disputed: its labels disagree" if label.disputed else label.value.value


def described(details: ImageDetails) -> str:
    """Its label and who stated what, its PDQ hash, the words it was seen with, and detectors' scores, line by line."""
    image = details.image
    lines = [
        f"Label: {label_in_words(image.label)}.",
        f"PDQ {image.pdq}, quality {image.pdq_quality} ({image.pdq_method}).",
    ]
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
