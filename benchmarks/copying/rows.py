"""What the trials of a run come to: a row for each alteration, family and kind of trap, and the checks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.alterations import LEFT_OUT_OF_TRAINING, Strength
from benchmarks.copying.precision import micro_average_precision, recall_at_precision
from benchmarks.copying.queries import AUGLY, OURS, UNALTERED, family
from benchmarks.copying.trials import Claim, Trial
from benchmarks.reporting.report import Check, Interval, wilson

A_PART_OF_IT = frozenset({"collage", "pasted", "in_a_corner", "overlay_onto_background_image"})
"""Alterations after which the original is one picture among others: that they share a part is right."""
PEERS = ("pdq", "cls", "sscd", "sscd_student")


@dataclass(frozen=True, slots=True)
class Row:
    """Queries of one sort.

    `first`: the original came first (None: there is none). `rightly`: it was called the same picture, or a shared part
    where it is one picture among others (a collage, pasted on another). `claimed`: it was called the same picture, of
    these `likely` without verification. `shares_part`: only that was said of it. `wrong`: another picture was called
    the same, `wrong_part`: at most a part was said to be shared with it. Of strangers and traps every claim is wrong.
    Then how often the original came first for each peer.
    """

    queries: str
    strength: str
    n: int
    first: Interval | None
    rightly: Interval | None
    claimed: Interval | None
    likely: int
    shares_part: int
    wrong: Interval
    wrong_likely: int
    wrong_part: int
    pdq: Interval | None
    cls: Interval | None
    sscd: Interval | None
    sscd_student: Interval | None


def rows(trials: Sequence[Trial]) -> tuple[Row, ...]:
    """From the whole to single alterations."""
    copies = [one for one in trials if one.kind == "copy"]
    altered = [one for one in copies if one.name != UNALTERED]
    made: list[Row] = []

    def add(name: str, some: Iterable[Trial], strength: int | None = None) -> None:
        chosen = [one for one in some if strength is None or one.strength == strength]
        if chosen:
            made.append(_row(name, "all" if strength is None else Strength(strength).name.lower(), chosen))

    add("all altered copies", altered)
    for by in (OURS, AUGLY):
        add(f"all of {by}", [one for one in altered if one.group == by])
    add("left out of training", [one for one in altered if _left_out(one)])
    add("strangers", [one for one in trials if one.kind == "stranger"])
    traps = [one for one in trials if one.kind == "trap"]
    add("traps", traps)
    for kind in sorted({one.group for one in traps}):
        add(f"trap: {kind}", [one for one in traps if one.group == kind])
    add(UNALTERED, [one for one in copies if one.name == UNALTERED])
    for name in sorted({family(one.group, one.name) for one in altered}):
        for strength in (None, *Strength):
            add(f"family: {name}", [one for one in altered if family(one.group, one.name) == name], strength)
    for by, name in sorted({(one.group, one.name) for one in altered}, key=lambda one: (one[0] != OURS, one[1])):
        for strength in Strength:
            add(f"{by}: {name}", [one for one in altered if (one.group, one.name) == (by, name)], strength)
    return tuple(made)


def _row(name: str, strength: str, trials: Sequence[Trial]) -> Row:
    n, about_copies = len(trials), trials[0].kind == "copy"
    wrong = [one.claimed_wrongly for one in trials]

    def share(holds: Callable[[Trial], bool]) -> Interval | None:
        return wilson(sum(map(holds, trials)), n) if about_copies else None

    def peer(which: str) -> Interval | None:
        asked = [one.peers[which].first for one in trials if which in one.peers]
        return wilson(sum(asked), len(asked)) if asked and about_copies else None

    return Row(
        queries=name,
        strength=strength,
        n=n,
        first=share(lambda one: one.first),
        rightly=share(_rightly),
        claimed=share(lambda one: one.claim is not None and one.claim.of_a_copy),
        likely=sum(one.claim is Claim.LIKELY for one in trials),
        shares_part=sum(one.claim is Claim.SHARES_PART for one in trials),
        wrong=wilson(sum(one is not None and one.of_a_copy for one in wrong), n),
        wrong_likely=sum(one is Claim.LIKELY for one in wrong),
        wrong_part=sum(one is Claim.SHARES_PART for one in wrong),
        **{which: peer(which) for which in PEERS},
    )


def _rightly(trial: Trial) -> bool:
    if trial.claim is Claim.SHARES_PART:
        return trial.name in A_PART_OF_IT
    return trial.claim is not None and trial.claim.of_a_copy


def _left_out(trial: Trial) -> bool:
    return trial.group == OURS and trial.name in LEFT_OUT_OF_TRAINING


def precisions(trials: Sequence[Trial]) -> dict[str, float]:
    """Micro-AP and recall at 90 % precision of the product and of each peer: pairs of altered copies and strangers
    with known pictures, all in one ranking."""
    asked = [one for one in trials if one.kind == "stranger" or (one.kind == "copy" and one.name != UNALTERED)]
    positives = sum(one.kind == "copy" for one in asked)
    found: dict[str, float] = {}
    for which in ("product", *PEERS):
        pairs = [
            pair
            for one in asked
            for pair in (one.product if which == "product" else one.peers[which].scores if which in one.peers else ())
        ]
        if not pairs:
            continue
        scores, right = (np.array(column, np.float32) for column in zip(*pairs, strict=True))
        found[f"micro_average_precision_{which}"] = round(micro_average_precision(scores, right, positives), 4)
        found[f"recall_at_precision_90_{which}"] = round(recall_at_precision(scores, right, positives), 4)
    return found


def checks(made: Sequence[Row], figures: dict[str, float]) -> tuple[Check, ...]:
    """The aims of the product, and that nothing is lost unaltered."""
    by = {(row.queries, row.strength): row for row in made}
    families = [row for row in made if row.queries.startswith("family: ")]
    found: list[Check] = []

    def add(name: str, value: float | None, aim: float, *, least: bool = True) -> None:
        if value is not None:
            said = f"{'at least' if least else 'at most'} {aim:g}"
            found.append(Check(name, round(value, 4), said, value >= aim if least else value <= aim))

    whole, same = by.get(("all altered copies", "all")), by.get((UNALTERED, "all"))
    if same and same.claimed:
        add("unaltered: claimed", same.claimed.share, 1.0)
    if whole and whole.first and whole.rightly:
        worst = [row.first.share for row in families if row.strength == "all" and row.first]
        middle = [row.rightly.share for row in families if row.strength == "middle" and row.rightly]
        add("original first", whole.first.share, 0.97)
        add("original first, worst family", min(worst), 0.9)
        add("claimed rightly", whole.rightly.share, 0.96)
        add("claimed rightly, worst family at middle strength", min(middle), 0.85)
        add("copies: another picture claimed", whole.wrong.share, 0.003, least=False)
    for name, aim in (("strangers", 0.003), ("traps", 0.02)):
        row = by.get((name, "all"))
        add(f"{name}: claimed as the same picture", row.wrong.share if row else None, aim, least=False)
    ours, theirs = (figures.get(f"micro_average_precision_{which}") for which in ("product", "sscd"))
    if ours is not None and theirs is not None:
        found.append(Check("micro-AP, less SSCD's", round(ours - theirs, 4), "not below 0", ours >= theirs))
    return tuple(found)
