"""How well embeddings find pictures again after an alteration, on pictures whose sources were never trained on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.arrays import Floats, Vectors
from indexer.copies.descriptor.training.alterations import COLOURS, QUALITIES, SHAPES, Pixels, Random
from indexer.copies.descriptor.training.overlays import AROUND, OVER, Others
from indexer.copies.descriptor.training.supply import Collection, reshared
from indexer.copies.descriptor.training.unseen import UNSEEN

Embed = Callable[[list[Pixels]], Vectors]
SEVERAL: Final = "several"
"""The family of a chain of alterations, drawn as in training."""
_KEPT: Final = 10
"""Candidates of a query that count for the average precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Altered copies: `pictures[i]` was made of the known picture number `answers[i]` by the family `families[i]`."""

    pictures: list[Pixels]
    answers: npt.NDArray[np.int64]
    families: list[str]


@dataclass(frozen=True, slots=True)
class Quality:
    """`first`: share of the queries whose own picture comes first, by family; `all_first` over all; `micro_ap`: area
    under precision and recall over all queries' candidates in one ranking (that of the ISC 2021, arXiv 2106.09672)."""

    first: Mapping[str, float]
    all_first: float
    micro_ap: float


def ask(known: Collection, each: int, seed: int) -> Queries:
    """`each` altered copies by every family, each of a known picture of its own."""
    families = _families()
    pictures: list[Pixels] = []
    answers: list[int] = []
    names: list[str] = []
    for number, (name, alter) in enumerate(sorted(families.items())):
        random = np.random.default_rng((seed, number))

        def others(random: Random = random) -> Pixels:
            return known[int(random.integers(len(known)))]

        for answer in random.permutation(len(known))[:each]:
            pictures.append(alter(np.array(known[int(answer)]), random, others))
            answers.append(int(answer))
            names.append(name)
    return Queries(pictures, np.array(answers, np.int64), names)


def judge(known: Vectors, queries: Vectors, asked: Queries, levels: Floats | None = None) -> Quality:
    """The quality of embeddings, L2-normalised: `known` [K, D], `queries` [Q, D]; `levels` [Q] are taken from the
    cosines (score normalisation)."""
    cosines = queries @ known.T
    if levels is not None:
        cosines = cosines - levels[:, None]
    best = np.argsort(-cosines, axis=1, kind="stable")[:, :_KEPT]
    right = best == asked.answers[:, None]
    of = np.array(asked.families)
    first = {name: float(right[of == name, 0].mean()) for name in sorted(set(asked.families))}
    scores = np.take_along_axis(cosines, best, axis=1)
    return Quality(first, float(right[:, 0].mean()), _average_precision(scores.ravel(), right.ravel(), len(right)))


def strangers(known: Vectors, queries: Vectors, asked: Queries, levels: Floats) -> Floats:
    """The best normalised score of each query to a picture that is not its own, [Q]: what a false claim would show."""
    cosines = queries @ known.T - levels[:, None]
    cosines[np.arange(len(queries)), asked.answers] = -np.inf
    best: Floats = cosines.max(axis=1).astype(np.float32)
    return best


def table(qualities: Mapping[str, Quality]) -> Sequence[str]:
    """The qualities side by side, as lines of Markdown."""
    names = list(qualities)
    some = qualities[names[0]]
    lines = ["| family | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for family in some.first:
        shares = " | ".join(f"{qualities[name].first[family]:.2f}" for name in names)
        unseen = " (unseen)" if family in UNSEEN else ""
        lines.append(f"| {family}{unseen} | {shares} |")
    lines.append("| **all, first** | " + " | ".join(f"{qualities[name].all_first:.3f}" for name in names) + " |")
    lines.append("| **micro-AP** | " + " | ".join(f"{qualities[name].micro_ap:.3f}" for name in names) + " |")
    return lines


def _families() -> dict[str, Callable[[Pixels, Random, Others], Pixels]]:
    """Every alteration alone, those never trained on, and several at once."""
    alone = [*SHAPES, *COLOURS, *QUALITIES]
    families: dict[str, Callable[[Pixels, Random, Others], Pixels]] = dict(UNSEEN)
    for alter in alone:
        families[_name(alter)] = lambda pixels, random, others, alter=alter: alter(pixels, random)  # type: ignore[misc]
    families |= {_name(overlay): overlay for overlay in (*OVER, *AROUND)}
    families[SEVERAL] = lambda pixels, random, others: reshared(pixels, 320, 1.0, random, others)
    return families


def _name(alteration: Callable[..., Pixels]) -> str:
    return alteration.__name__.replace("_", " ")


def _average_precision(scores: npt.NDArray[np.float32], right: npt.NDArray[np.bool_], positives: int) -> float:
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(hits) + 1)
    return float((precision * right[order]).sum() / positives)
