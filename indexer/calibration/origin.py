"""What a cosine says about a shared origin: the measured probability, and thresholds for stated precisions.

Measured on the pairs a search would look at: each picture with its nearest known fakes. Their share of true pairs is
the prior of every probability here; pairs drawn at random would have a far lower one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from indexer.arrays import Reals
from indexer.calibration.intervals import lower_bound, rate_of
from indexer.calibration.quality import measure
from indexer.calibration.records import OriginBand, OriginMap, along
from indexer.calibration.scores import FOLDS, thinned
from indexer.estimates import Codes

Bools = npt.NDArray[np.bool_]
Names = tuple[str | None, ...]

NEIGHBOURS = 10
MAX_QUERIES = 20_000
_MINIMUM = 20
"""Fewest pairs that share their origin, and fewest that do not."""
_BLOCK = 1_024


@dataclass(frozen=True, slots=True)
class Pairs:
    """Neighbour pairs [P]: positions of the query and of its neighbour, their cosine, and whether they share their
    origin. `cluster` numbers what is independent: the query's group, or the query itself where origins are generators.
    `origin` [N] is each picture's, -1 where it has none."""

    query: Codes
    neighbour: Codes
    cosine: Reals
    same: Bools
    cluster: Codes
    origin: Codes

    def only(self, chosen: Bools) -> "Pairs":
        """Some of the pairs."""
        return Pairs(
            query=self.query[chosen],
            neighbour=self.neighbour[chosen],
            cosine=self.cosine[chosen],
            same=self.same[chosen],
            cluster=self.cluster[chosen],
            origin=self.origin,
        )


class NotMeasurableError(ValueError):
    """The labelled pictures cannot tell what a cosine means; the message says why."""


def origin_map(
    embeddings: npt.NDArray[np.float32],
    fake: Bools,
    groups: Names,
    generators: Names,
    *,
    suggested: float,
    confirmed: float,
    seed: int,
) -> OriginMap:
    """The map for L2-normalised embeddings [N, D] of pictures that are `fake` [N].

    An origin is a group where pictures name groups, else a generator. `suggested` and `confirmed` are the precisions
    that the bands promise.

    Raises:
        NotMeasurableError: no origins are named, or too few pairs share one or differ.
    """
    kind = origin_kind(fake, groups, generators)
    names = groups if kind == "group" else generators
    origin = _numbers(names)
    asking = np.flatnonzero((origin >= 0) | (~fake if kind == "generator" else False))
    pairs = neighbour_pairs(embeddings, asking, np.flatnonzero(fake & (origin >= 0)), origin, kind, seed)
    right = int(pairs.same.sum())
    if min(right, len(pairs.same) - right) < _MINIMUM:
        raise NotMeasurableError(
            f"of {len(pairs.same)} pairs of neighbours {right} share their {kind}: at least {_MINIMUM} that do and "
            f"{_MINIMUM} that do not are needed"
        )
    fold = _folds(pairs, kind, seed)
    predicted, tested = _held_out(pairs, fold)
    low = band(pairs, fold, suggested)
    high = band(pairs, fold, confirmed)
    if high is not None and (low is None or low.min_cosine > high.min_cosine):
        low = OriginBand(suggested, high.min_cosine, high.held_out, high.pairs)
    return OriginMap(
        kind=kind,
        knots=_steps(pairs),
        base_rate=right / len(pairs.same),
        neighbours=NEIGHBOURS,
        pictures=len(np.unique(pairs.query)),
        origins=len(np.unique(origin[origin >= 0])),
        pairs=len(pairs.same),
        check=measure(predicted, pairs.same[tested], _numbered(pairs.cluster[tested]), seed),
        stated_suggested=suggested,
        stated_confirmed=confirmed,
        suggested=low,
        confirmed=high,
    )


def origin_kind(fake: Bools, groups: Names, generators: Names) -> Literal["group", "generator"]:
    """What an origin is: a group when two pictures, one of them fake, share one; else a generator.

    Raises:
        NotMeasurableError: no two pictures share either.
    """
    if _shared(groups, fake):
        return "group"
    if _shared(generators, fake):
        return "generator"
    raise NotMeasurableError("no two fakes name the same group or generator")


def neighbour_pairs(
    embeddings: npt.NDArray[np.float32],
    asking: npt.NDArray[np.intp],
    known: npt.NDArray[np.intp],
    origin: Codes,
    kind: Literal["group", "generator"],
    seed: int,
) -> Pairs:
    """Each of the pictures `asking` with its nearest 10 of `known`, itself left out; of very many, a sample asks."""
    if len(asking) > MAX_QUERIES:
        asking = np.sort(np.random.default_rng(seed).choice(asking, MAX_QUERIES, replace=False))
    count = min(NEIGHBOURS, len(known) - 1)
    if count < 1:
        raise NotMeasurableError("fewer than two known fakes name their origin")
    queries, neighbours, cosines = [], [], []
    for start in range(0, len(asking), _BLOCK):
        block = asking[start : start + _BLOCK]
        near = embeddings[block] @ embeddings[known].T
        near[block[:, None] == known[None, :]] = -np.inf
        best = np.argpartition(-near, count - 1, axis=1)[:, :count]
        queries.append(np.repeat(block, count))
        neighbours.append(known[best].ravel())
        cosines.append(np.take_along_axis(near, best, axis=1).ravel())
    query, neighbour = np.concatenate(queries), np.concatenate(neighbours)
    return Pairs(
        query=query,
        neighbour=neighbour,
        cosine=np.clip(np.concatenate(cosines), -1, 1).astype(np.float64),
        same=(origin[query] == origin[neighbour]) & (origin[query] >= 0),
        cluster=_numbered(origin[query] if kind == "group" else query),
        origin=origin,
    )


def band(pairs: Pairs, fold: Codes, precision: float) -> OriginBand | None:
    """The lowest cosine from which on pairs share their origin with at least `precision`, by the lower 95 % bound.

    Chosen on all pairs and again without each fold; the highest of these cosines counts, so that it is no lower than
    the one that any pair had no part in. None when one of the choices finds no such cosine, or all pairs above the
    highest do not meet the precision.
    """
    parts = [pairs, *(pairs.only(train) for train, _ in _splits(pairs, fold))]
    cuts = [cut for part in parts if (cut := lowest_cosine(part, precision)) is not None]
    if len(cuts) < len(parts):
        return None
    kept = pairs.cosine >= max(cuts)
    rate = rate_of(float(pairs.same[kept].mean()), _sizes(pairs.cluster[kept])[-1])
    return OriginBand(precision, max(cuts), rate, int(kept.sum())) if rate.bounds[0] >= precision else None


def lowest_cosine(pairs: Pairs, precision: float) -> float | None:
    """The lowest cosine at which the lower bound of the precision of pairs at or above it meets `precision`."""
    order = np.argsort(-pairs.cosine, kind="stable")
    cosine, same = pairs.cosine[order], pairs.same[order]
    if not len(cosine):
        return None
    ends = np.append(np.flatnonzero(np.diff(cosine)), len(cosine) - 1)
    rates = (np.cumsum(same) / np.arange(1, len(same) + 1))[ends]
    met = ends[lower_bound(rates, _sizes(pairs.cluster[order])[ends]) >= precision]
    return float(cosine[met[-1]]) if len(met) else None


def _sizes(cluster: Codes) -> Reals:
    """Effective size of the first 1, 2, … P pairs, whose clusters are [P] (see `intervals.effective_size`)."""
    order = np.argsort(cluster, kind="stable")
    starts = np.searchsorted(cluster[order], cluster[order], side="left")
    before = np.empty(len(cluster))
    before[order] = np.arange(len(cluster)) - starts
    sizes: Reals = np.arange(1, len(cluster) + 1) ** 2 / np.cumsum(2 * before + 1)
    return sizes


def _steps(pairs: Pairs) -> tuple[tuple[float, float], ...]:
    right = int(pairs.same.sum())
    least = 1 / (len(pairs.same) - right + 2)
    most = (right + 1) / (right + 2)
    stairs = IsotonicRegression(y_min=min(least, most), y_max=max(least, most), out_of_bounds="clip")
    stairs.fit(pairs.cosine, pairs.same.astype(np.float64))
    return thinned(stairs.X_thresholds_, stairs.y_thresholds_)


def _held_out(pairs: Pairs, fold: Codes) -> tuple[Reals, Bools]:
    """Probabilities of the pairs that could be held out, and which those are [P]."""
    predicted = np.full(len(pairs.same), np.nan)
    for train, test in _splits(pairs, fold):
        if train.any():
            predicted[test] = along(_steps(pairs.only(train)), pairs.cosine[test])
    tested = ~np.isnan(predicted)
    return predicted[tested], tested


def _splits(pairs: Pairs, fold: Codes) -> Iterator[tuple[Bools, Bools]]:
    """Pairs [P] to learn from, neither picture of which is in the fold, and pairs whose query is."""
    for number in np.unique(fold[pairs.query]):
        test = fold[pairs.query] == number
        yield ~test & (fold[pairs.neighbour] != number), test


def _folds(pairs: Pairs, kind: Literal["group", "generator"], seed: int) -> Codes:
    """The fold [N] of each picture: an origin is in one fold; pictures without are spread over all."""
    rng = np.random.default_rng(seed)
    origins = int(pairs.origin.max()) + 1
    count = min(FOLDS, origins)
    if count < 2:
        raise NotMeasurableError(f"all pictures are of one {kind}")
    of_origin = rng.permutation(np.arange(origins) % count)
    folds = np.where(pairs.origin >= 0, of_origin[pairs.origin], rng.integers(0, count, len(pairs.origin)))
    return folds.astype(np.int64)


def _shared(names: Names, fake: Bools) -> bool:
    fakes = [name for name, is_fake in zip(names, fake, strict=True) if is_fake and name is not None]
    others = {name for name, is_fake in zip(names, fake, strict=True) if not is_fake and name is not None}
    return len(set(fakes)) < len(fakes) or not others.isdisjoint(fakes)


def _numbers(names: Names) -> Codes:
    """A number [N] a name, -1 for none."""
    numbers: dict[str, int] = {}
    return np.array([-1 if name is None else numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _numbered(codes: npt.NDArray[np.intp] | Codes) -> Codes:
    """The same partition with numbers from 0 without gaps."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
