"""What an evaluation's figures mean and do not say, in words: the same in the terminal, in JSON and on the page."""

from collections.abc import Sequence

from indexer.evaluation.bootstrap import Estimate, Figure
from indexer.evaluation.classifiers import CONFOUNDED
from indexer.evaluation.labelled import LabelledSet

FEW = 30
"""Fewer pictures of a class than this get a warning."""
FEW_GROUPS = 10

LIMITS = (
    "The figures hold for pictures like these: the same kinds of subjects, generators, sizes and compression. On other "
    "pictures the detector may do much better or much worse.",
    "They say nothing about pictures made by generators that are not among these.",
    "The labels are taken to be right; every wrong one counts against the detector, or for it.",
    "If the detector was trained on some of these pictures, or on others of the same series, the figures are too good.",
    "A score is a signal, not proof; a low score does not show that a picture is authentic.",
    "Average precision, accuracy and calibration error depend on the share of fakes, which is another wherever the "
    "detector is used.",
)


def interval_words(groups: Sequence[str | None], resamples: int) -> str:
    """How the intervals were drawn."""
    if any(group is not None for group in groups):
        drawn = "whole groups were drawn, for pictures of one group are not independent"
    else:
        drawn = "pictures were drawn one by one within each class, for no groups are stated"
    return (
        f"95 % percentile bootstrap of {resamples:,} resamples; {drawn}. Where no resample differs a share gets "
        "Wilson's interval. An interval covers the choice of pictures only, not another kind of pictures."
    )


def warnings(labelled: LabelledSet, *, trained: bool, confound: Figure, pixels: int) -> tuple[str, ...]:
    """What a reader must know before the figures. `pixels`: pictures whose pixels were here, of those asked for."""
    found = []
    fakes, authentic = int(labelled.fake.sum()), int((~labelled.fake).sum())
    if not trained:
        found.append(
            "The detector is not trained: its scores say nothing about fakeness and are not judged. Retrieval is."
        )
    for word, count in (("fakes", fakes), ("authentic pictures", authentic)):
        if count == 0:
            found.append(f"There are no {word}: what needs both classes cannot be measured.")
        elif count < FEW:
            found.append(f"Only {count} {word}: the intervals are wide, and may still be too narrow.")
    groups = {group for group in labelled.groups if group is not None}
    if 0 < len(groups) < FEW_GROUPS:
        found.append(f"Only {len(groups)} groups: intervals from so few draws are rough.")
    if isinstance(confound, Estimate) and confound.value >= CONFOUNDED:
        found.append(
            f"Your classes differ in size or compression: from width, height, bytes per pixel, JPEG quality and format "
            f"alone a classifier reaches an AUC of {confound.value:.2f}. The detector's figures may be that."
        )
    if pixels == 0:
        found.append(
            "No pixels are here (originals are not kept): altered copies, robustness, peers and the confound check "
            "cannot be measured."
        )
    return tuple(found)
