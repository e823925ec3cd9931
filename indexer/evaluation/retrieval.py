"""How well altered copies and generators are retrieved.

What is measured is the ranking alone, over the decoded pictures of the set; `METHODS` says which method is dejafake's
and which a plain peer.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.arrays import Reals
from indexer.errors import UsageError
from indexer.estimates import Estimate, Figure, NotMeasured, group_numbers
from indexer.evaluation import metrics
from indexer.evaluation.classifiers import held_out_classes
from indexer.evaluation.labelled import LabelledSet
from indexer.evaluation.options import EvaluationOptions
from indexer.evaluation.pictures import Pictures
from indexer.evaluation.sampling import sample
from indexer.evaluation.table import PictureTable, colour_histogram, grey_pixels
from indexer.imaging.alterations import ALTERATIONS, apply
from indexer.imaging.hashing import query_hashes
from indexer.vocabulary import Progress

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "same_picture": "PDQ in eight orientations and several sizes, within the distance that counts",
        "same_origin": "cosine of the detector's embeddings",
        "both": "as a search orders them: same_picture first, then by cosine",
        "grey_pixels": "peer: correlation of 32 x 32 grey pixels",
        "colour_histogram": "peer: similarity of 8 x 8 x 8 colour histograms",
    }
)
"""How similar two pictures are, by five methods; the last two are plain peers."""
NEIGHBOURS = 5
_RANKS = (1, 5, 10)
_MOST_RANKED = 2_000
_NEVER = -np.inf


@dataclass(frozen=True, slots=True)
class Recall:
    """How often the original of an altered copy is among the first 1, 5, 10; ties count as drawn by lot."""

    alteration: str
    method: str
    queries: int
    at_1: Figure
    at_5: Figure
    at_10: Figure


@dataclass(frozen=True, slots=True)
class Attribution:
    """How often the generator of a fake is named right, by its 5 nearest fakes outside its own group (weighted by
    cosine), or by a peer. `macro`: mean over generators. `majority`: share of the most frequent generator, which
    naming it always would reach."""

    method: str
    fakes: int
    generators: int
    accuracy: Figure
    macro: Figure
    majority: float | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Mean average precision: how early the pictures of the same group, or fakes of the same generator outside the own
    group, come in the ranking of all others. `chance`: the mean share of such pictures, which a random ranking gives
    about."""

    by: str
    method: str
    queries: int
    mean_average_precision: Figure
    chance: float | None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """`database`: pictures searched in; `queries`: pictures altered and searched with."""

    database: int
    queries: int
    recall: tuple[Recall, ...]
    attribution: tuple[Attribution, ...]
    ranking: tuple[Ranking, ...]


_Similarity: TypeAlias = Callable[[int], Reals]
"""The similarity [M] of a row of the database to all rows."""


def retrieval(
    labelled: LabelledSet,
    table: PictureTable,
    pictures: Pictures,
    detector: "Detector",
    options: EvaluationOptions,
    tell: Progress,
) -> Retrieval:
    """All figures; the database are the pictures of `table`. When that is empty, for no pixels are here, it is a sample
    of the set, in which embeddings alone are compared."""
    pixels = len(table) > 0
    known = labelled.subset(table.numbers if pixels else sample(labelled.fake, options.database, options.seed))
    chosen = sample(known.fake, options.queries if pixels else 0, options.seed)
    return Retrieval(
        database=len(known),
        queries=len(chosen),
        recall=_recall(known, table, pictures, detector, chosen, options, tell),
        attribution=_attribution(known, table, options, tell),
        ranking=tuple(_rankings(known, table, options, tell)),
    )


def _recall(
    known: LabelledSet,
    table: PictureTable,
    pictures: Pictures,
    detector: "Detector",
    chosen: npt.NDArray[np.int64],
    options: EvaluationOptions,
    tell: Progress,
) -> tuple[Recall, ...]:
    hits: dict[tuple[str, str], list[list[float]]] = {}
    used: list[int] = []
    for count, row in enumerate(chosen.tolist(), 1):
        picture = pictures.picture(known.sha256[row])
        if picture is not None:
            used.append(row)
            copies = {name: _decoded(apply(name, picture, options.seed)) for name in ALTERATIONS}
            embeddings = detector.detect(list(copies.values())).embeddings
            for (name, copy), embedding in zip(copies.items(), embeddings, strict=True):
                for method, similar in _similarities(known, table, copy, embedding, options).items():
                    chances = [_chance_within(similar, row, rank) for rank in _RANKS]
                    hits.setdefault((name, method), []).append(chances)
        tell("altered copies", count, len(chosen))
    drawn = options.resampling([known.groups[row] for row in used])

    def share(values: Reals) -> Estimate:
        return metrics.mean(values, **drawn)

    rows = []
    for (name, method), rates in hits.items():
        at = [share(values) for values in np.array(rates).T]
        rows.append(Recall(name, method, len(used), *at))
    for method in METHODS if hits else ():
        every = np.mean([np.array(hits[name, method]) for name in ALTERATIONS], axis=0)
        rows.append(Recall("all of them", method, len(used), *(share(values) for values in every.T)))
    return tuple(rows)


def _similarities(
    known: LabelledSet,
    table: PictureTable,
    copy: Image.Image,
    embedding: npt.NDArray[np.float32],
    options: EvaluationOptions,
) -> dict[str, Reals]:
    """The similarity [M] of a copy to every picture of the database by each method; -inf: not found by it."""
    same_picture = _pdq_similarity(table, copy, options)
    cosine = np.asarray(known.embeddings @ embedding, np.float64)
    both = np.where(np.isfinite(same_picture), same_picture + 1_000, cosine)
    grey = np.asarray(table.greys @ grey_pixels(copy), np.float64)
    colour = np.asarray(table.colours @ colour_histogram(copy), np.float64)
    return dict(zip(METHODS, (same_picture, cosine, both, grey, colour), strict=True))


def _pdq_similarity(table: PictureTable, copy: Image.Image, options: EvaluationOptions) -> Reals:
    hashed = query_hashes(copy)
    queries = np.stack([np.frombuffer(query.bits, np.uint8) for query in hashed.queries])
    distances = np.bitwise_count(queries[:, None] ^ table.hashes[None]).sum(axis=2).min(axis=0)
    readable = (table.qualities >= options.min_quality) & (hashed.reference.quality >= options.min_quality)
    return np.where(readable & (distances <= options.max_distance), -distances.astype(np.float64), _NEVER)


def _chance_within(similar: Reals, own: int, rank: int) -> float:
    """The chance that row `own` is among the first `rank` when equally similar rows are ordered by lot."""
    if similar[own] == _NEVER:
        return 0.0
    before = int((similar > similar[own]).sum())
    tied = int((similar == similar[own]).sum())
    return min(1.0, max(0.0, (rank - before) / tied))


def _attribution(
    known: LabelledSet, table: PictureTable, options: EvaluationOptions, tell: Progress
) -> tuple[Attribution, ...]:
    rows = np.flatnonzero(known.fake & np.array([name is not None for name in known.generators], np.bool_))
    fakes = known.subset(rows)
    names, classes = np.unique([name or "" for name in fakes.generators], return_inverse=True)
    if len(names) < 2:
        missing = NotMeasured("fakes of at least two stated generators are needed")
        return (Attribution("same_origin", len(rows), len(names), missing, missing, None),)
    tell("attribution", 0, 2)
    by_neighbours = _named_by_neighbours(fakes, classes)
    tell("attribution", 1, 2)
    majority = float(np.bincount(classes).max() / len(classes))
    if (by_neighbours < 0).all():
        missing = NotMeasured("all fakes are of one group: there is none outside it to name a generator by")
        return (Attribution("same_origin", len(rows), len(names), missing, missing, majority),)

    def row(method: str, named: npt.NDArray[np.int64]) -> Attribution:
        right, drawn = (named == classes).astype(np.float64), options.resampling(fakes.groups)
        accuracy, macro = metrics.mean(right, **drawn), metrics.macro_mean(right, classes, **drawn)
        return Attribution(method, len(rows), len(names), accuracy, macro, majority)

    attributions = [row("same_origin", by_neighbours)]
    if not len(table):
        return tuple(attributions)
    try:
        colours = table.colours[rows].astype(np.float64)
        attributions.append(
            row("colour_histogram", held_out_classes(colours, classes, groups=fakes.groups, seed=options.seed))
        )
    except UsageError as error:
        missing = NotMeasured(str(error))
        attributions.append(Attribution("colour_histogram", len(rows), len(names), missing, missing, majority))
    tell("attribution", 2, 2)
    return tuple(attributions)


def _named_by_neighbours(fakes: LabelledSet, classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The class [N] with the largest sum of cosines among the nearest outside the own group; -1 where there is none."""
    groups = group_numbers(fakes.groups, len(fakes))
    named = np.full(len(fakes), -1, np.int64)
    for row in range(len(fakes)):
        cosine = np.where(groups == groups[row], _NEVER, fakes.embeddings @ fakes.embeddings[row])
        nearest = np.argsort(-cosine, kind="stable")[:NEIGHBOURS]
        nearest = nearest[np.isfinite(cosine[nearest])]
        if len(nearest):
            votes = np.bincount(classes[nearest], weights=1 + cosine[nearest])
            named[row] = int(np.argmax(votes))
    return named


def _rankings(known: LabelledSet, table: PictureTable, options: EvaluationOptions, tell: Progress) -> Iterator[Ranking]:
    groups = group_numbers(known.groups, len(known))
    _, generators = np.unique([name or "" for name in known.generators], return_inverse=True)
    stated = known.fake & np.array([name is not None for name in known.generators], np.bool_)
    embeddings, greys, colours = known.embeddings, table.greys, table.colours
    methods: dict[str, _Similarity] = {"same_origin": lambda row: np.asarray(embeddings @ embeddings[row], np.float64)}
    if len(table):
        methods["grey_pixels"] = lambda row: np.asarray(greys @ greys[row], np.float64)
        methods["colour_histogram"] = lambda row: np.asarray(colours @ colours[row], np.float64)
    rows = sample(known.fake, _MOST_RANKED, options.seed)

    def relevant_by_group(row: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        others = np.arange(len(known)) != row
        return others & (groups == groups[row]), others

    def relevant_by_generator(row: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        others = groups != groups[row]
        return others & stated & stated[row] & (generators == generators[row]), others

    for by, relevant in (("group", relevant_by_group), ("generator", relevant_by_generator)):
        for method, similar in methods.items():
            precisions = _average_precisions(rows, relevant, similar)
            if precisions:
                drawn = options.resampling([known.groups[row] for row, _, _ in precisions])
                value = metrics.mean([precision for _, precision, _ in precisions], **drawn)
                chance = float(np.mean([share for _, _, share in precisions]))
                yield Ranking(by, method, len(precisions), value, chance)
            else:
                yield Ranking(by, method, 0, NotMeasured(_nothing_ranked(by, generators[stated])), None)
            tell("rankings", 1, 1)


def _nothing_ranked(by: str, generators: npt.NDArray[np.int64]) -> str:
    """Why no picture has another that is relevant to it. `generators` are those of the fakes that state one."""
    if by == "generator" and len(np.unique(generators)) < len(generators):
        return "pictures of one generator are all of one group, in which they are not looked for"
    return f"no two pictures share a {by}"


def _average_precisions(
    rows: npt.NDArray[np.int64],
    relevant: Callable[[int], tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
    similar: _Similarity,
) -> list[tuple[int, float, float]]:
    """Row, average precision and share of relevant pictures, of each row that has any."""
    precisions = []
    for row in rows:
        targets, others = relevant(int(row))
        if not targets.any():
            continue
        order = np.argsort(-similar(int(row))[others], kind="stable")
        places = np.flatnonzero(targets[others][order]) + 1
        precision = float((np.arange(1, len(places) + 1) / places).mean())
        precisions.append((int(row), precision, len(places) / len(order)))
    return precisions


def _decoded(data: bytes) -> Image.Image:
    """A JPEG made here, so not in need of the guards that outside files get."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return image.convert("RGB")
