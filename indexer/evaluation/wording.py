"""What an evaluation's figures mean and do not say, in words: the same in the terminal, in JSON and on the page."""

from collections.abc import Sequence

from indexer.estimates import FEW_GROUPS, FEWEST_GROUPS, Estimate, Figure, fewest_groups, group_numbers
from indexer.evaluation.classifiers import CONFOUNDED
from indexer.evaluation.labelled import LabelledSet

FEW = 30
"""Fewer pictures of a class than this get a warning."""

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
        drawn = (
            "whole groups were drawn, for pictures of one group are not independent; of fewer than "
            f"{FEW_GROUPS} groups pictures inside them too, with a wider interval; of fewer than "
            f"{FEWEST_GROUPS} there is no interval"
        )
    else:
        drawn = "pictures were drawn one by one within each class, for no groups are stated"
    return (
        f"95 % percentile bootstrap of {resamples:,} resamples; {drawn}. Where no resample differs, a share gets "
        "Wilson's interval and an AUC the exact one of its disjoint pairs. An interval covers the choice of pictures "
        "only, not another kind of pictures."
    )


def warnings(labelled: LabelledSet, *, trained: bool, confound: Figure, pixels: int) -> tuple[str, ...]:
    """What a reader must know before the figures. `pixels`: pictures whose pixels were here, of those asked for."""
    sentences = []
    fakes, authentic = int(labelled.fake.sum()), int((~labelled.fake).sum())
    if not trained:
        sentences.append(
            "The detector is not trained: its scores say nothing about fakeness and are not judged. Retrieval is."
        )
    for word, count in (("fakes", fakes), ("authentic pictures", authentic)):
        if count == 0:
            sentences.append(f"There are no {word}: what needs both classes cannot be measured.")
        elif count < FEW:
            sentences.append(f"Only {count} {word}: the intervals are wide, and may still be too narrow.")
    sentences += _few_groups(labelled)
    if isinstance(confound, Estimate) and confound.value >= CONFOUNDED:
        sentences.append(
            f"Your classes differ in size or compression: from width, height, bytes per pixel, JPEG quality and format "
            f"alone a classifier reaches an AUC of {confound.value:.2f}. The detector's figures may be that."
        )
    if pixels == 0:
        sentences.append(
            "No pixels are here (originals are not kept): altered copies, robustness, peers and the confound check "
            "cannot be measured."
        )
    return tuple(sentences)


def _few_groups(labelled: LabelledSet) -> list[str]:
    """What to know where the pictures of a class come in few groups."""
    numbers = group_numbers(labelled.groups, len(labelled))
    fewest = fewest_groups(numbers, labelled.fake)
    if all(group is None for group in labelled.groups) or fewest >= FEW_GROUPS:
        return []
    counted = f"Only {fewest} group{'' if fewest == 1 else 's'} of a class: "
    if fewest < FEWEST_GROUPS:
        return [
            f"{counted}how much figures vary from group to group cannot be told, so that most have no interval. State "
            f"{FEWEST_GROUPS} groups or more of each class, better {FEW_GROUPS}."
        ]
    return [f"{counted}intervals are wide, and still rough."]
