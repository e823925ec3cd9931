"""The training data of a head: its pictures and classes, and which classes have too few pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.arrays import Floats
from indexer.errors import UsageError
from indexer.estimates import group_numbers
from indexer.evaluation.labelled import LabelledSet
from indexer.heads.head import MAX_CLASSES, MAX_TEXT, Target
from indexer.vocabulary import LabelValue, Technique

Numbers = npt.NDArray[np.int64]

FEWEST = 5
"""Fewest pictures of a class that is learnt."""
_WHAT_TO_DO = {
    "fake": "label both fakes and authentic pictures (`dejafake label`, a manifest's column `label`)",
    "generator": "state the generators of fakes (a manifest's column `generator`, `dejafake label --generator`)",
    "technique": "state the techniques of fakes (a manifest's column `technique`, `dejafake label --technique`)",
}


@dataclass(frozen=True, slots=True)
class Lesson:
    """Pictures and their classes.

    `classes`, sorted, fake last; `vectors` [N, 384]; `truth` [N] numbers of classes; `groups` [N] numbers of groups,
    a picture without one being its own; `group_names` as they were stated; `left_out`: class -> why.
    """

    classes: tuple[str, ...]
    vectors: Floats
    truth: Numbers
    groups: Numbers
    group_names: tuple[str | None, ...]
    left_out: Mapping[str, str]

    def part(self, rows: Numbers) -> "Lesson":
        """Some of the pictures; `classes` stay, also those that are not among them."""
        names = tuple(self.group_names[row] for row in rows)
        return Lesson(self.classes, self.vectors[rows], self.truth[rows], self.groups[rows], names, self.left_out)

    def groups_of_rarest(self) -> int:
        """The number of groups of the class that has the fewest."""
        return min(len(set(self.groups[self.truth == number].tolist())) for number in range(len(self.classes)))


def lesson_of(labelled: LabelledSet, target: Target) -> Lesson:
    """The pictures a head for `target` can learn from.

    Raises:
        UsageError: fewer than two classes have enough pictures.
    """
    stated = _said(labelled, target)
    kept, left_out = _learnable(stated, labelled.groups)
    if not 2 <= len(kept) <= MAX_CLASSES:
        counts = ", ".join(f"{label}: {Counter(stated)[label]}" for label in kept) or "none"
        short = "".join(f"; {label[:60]} left out, {why}" for label, why in list(left_out.items())[:5])
        raise UsageError(
            f"a head needs 2 to {MAX_CLASSES} classes of at least {FEWEST} pictures; {labelled.name} has {counts}"
            f"{short}: {_WHAT_TO_DO[target]}"
        )
    rows = [row for row, label in enumerate(stated) if label in kept]
    names = tuple(labelled.groups[row] for row in rows)
    number = {name: at for at, name in enumerate(kept)}
    return Lesson(
        classes=kept,
        vectors=labelled.embeddings[rows],
        truth=np.array([number[stated[row] or ""] for row in rows], np.int64),
        groups=group_numbers(names, len(rows)),
        group_names=names,
        left_out=left_out,
    )


def _said(labelled: LabelledSet, target: Target) -> list[str | None]:
    """The class of every picture, None if none was stated."""
    if target == "fake":
        return [(LabelValue.FAKE if fake else LabelValue.AUTHENTIC).value for fake in labelled.fake]
    stated: Sequence[str | None] = labelled.generators
    if target == "technique":
        stated = [None if technique is Technique.UNKNOWN else technique.value for technique in labelled.techniques]
    return [
        technique[:MAX_TEXT] if fake and technique else None
        for fake, technique in zip(labelled.fake, stated, strict=True)
    ]


def _learnable(stated: Sequence[str | None], groups: Sequence[str | None]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The classes that can be learnt and judged, in order, and why the others cannot."""
    members: dict[str, list[object]] = {}
    for row, (name, group) in enumerate(zip(stated, groups, strict=True)):
        if name is not None:
            members.setdefault(name, []).append(row if group is None else group)
    kept, left_out = [], {}
    for name, of in sorted(members.items()):
        if len(of) < FEWEST:
            left_out[name] = f"{len(of)} of {FEWEST} pictures needed"
        elif len(set(of)) < 2:
            left_out[name] = "all its pictures are of one group, so it cannot be judged"
        else:
            kept.append(name)
    return tuple(kept), left_out
