"""Does dejafake find campaigns, and how fast? `python -m benchmarks.campaigns [--full] [--corpus MANIFEST]`

Groups planted vectors with noise, beside peers on the same vectors, and runs whole clusterings of made-up catalogues.
With a manifest of labelled pictures, also each fake with five altered copies by the bundled detector's embeddings.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.grouping.corpus import Corpus, read_corpus
from benchmarks.grouping.methods import OURS, SMALL, TUNED, Method, by_dejafake, methods, thorough
from benchmarks.grouping.run import RunCost, run_cost
from benchmarks.grouping.scores import GroupingScores, Labels, scores
from benchmarks.made_up.campaigns import Planted, planted
from benchmarks.reporting.report import Check, Plot, Report, conclude

PLANTED_COSINE = 0.8
"""Smallest cosine that counts as evidence between planted vectors."""
PLANTED_THRESHOLDS = (0.84, 0.88, 0.9, 0.92, 0.95)
CORPUS_THRESHOLDS = (0.9, 0.94, 0.96, 0.98)
MIDDLE, LARGE, MILLION = 20_000, 100_000, 1_000_000
REFERENCE = "scikit-learn HDBSCAN, min_cluster_size 5"
FAST_PEER = "fast_hdbscan, min_cluster_size 5"


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one data set, against one truth; `alone` is the share of images in no group."""

    method: str
    data: str
    truth: str
    images: int
    seconds: float
    groups: int
    alone: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    homogeneity: float
    completeness: float
    v_measure: float
    ari: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.campaigns", description=__doc__)
    parser.add_argument("--full", action="store_true", help="also 100,000 and 1,000,000 images, and the slowest peer")
    parser.add_argument("--corpus", type=Path, help="manifest, folder or archive of labelled pictures")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)
    return conclude("campaigns", lambda: measure(full=options.full, corpus=options.corpus), options.json)


def measure(
    *,
    full: bool,
    corpus: Path | None,
    sizes: tuple[int, ...] = (SMALL, MIDDLE),
    runs: tuple[int, ...] = (SMALL, MIDDLE),
) -> Report:
    """Measures all. `sizes`: of planted vectors; `runs`: images of the whole clusterings.

    Raises:
        DejafakeError: the corpus cannot be read, or holds no fakes.
    """
    if full:
        sizes, runs = (*sizes, LARGE, MILLION), (*runs, LARGE, MILLION)
    every = methods(PLANTED_COSINE, PLANTED_THRESHOLDS)
    _warm_up(every)
    rows = [row for size in sizes for row in _on_planted(planted(size), every, full=full)]
    pictures = None if corpus is None else read_corpus(corpus)
    if pictures is not None:
        rows += _on_corpus(pictures)
    costs = [run_cost(size) for size in runs]
    return Report(
        question="Are campaigns found, how well and how fast, beside other ways to group?",
        parameters={
            "planted_min_cosine": PLANTED_COSINE,
            "corpus_detector": None if pictures is None else pictures.detector,
            "not_installed": sorted({method.package for method in every if not method.installed}),
        },
        rows=tuple(rows),
        checks=(*_planted_checks(rows, sizes), *_corpus_checks(rows), *_run_checks(costs)),
        figures=_figures(costs),
        plots=(_plot(rows, costs),),
    )


def _plot(rows: Sequence[Row], costs: Sequence[RunCost]) -> Plot:
    """Peers with a threshold are drawn once, as they are given it first."""
    series: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row.data.startswith("planted") and TUNED not in row.method and row.seconds:
            series.setdefault(row.method, []).append((float(row.images), row.seconds))
    whole = [(float(cost.images), cost.seconds) for cost in costs]
    return Plot("Grouping planted vectors", "images", "seconds", {**series, f"{OURS}, a whole run": whole}, log=True)


def _warm_up(every: Iterable[Method]) -> None:
    """Some peers compile themselves at the first call, which is not what is asked."""
    small = planted(500, seed=1).vectors
    for method in every:
        if method.installed and not method.tuned:
            method.run(small)


def _on_planted(data: Planted, every: Sequence[Method], *, full: bool) -> Iterator[Row]:
    size = len(data.truth)
    name = f"planted {size:,}"
    best: dict[str, Row] = {}
    approximate = [thorough(PLANTED_COSINE)] if size == LARGE else []
    for method in (*every, *approximate):
        slow = full and method.name == REFERENCE and size <= MIDDLE
        if not method.installed or (size > method.most and not slow):
            continue
        row = _timed(method, data.vectors, name, data.truth)
        if method.tuned:
            kind = method.name.split(",")[0]
            best[kind] = max(best.get(kind, row), row, key=lambda candidate: candidate.bcubed_f1)
        else:
            yield row
    yield from best.values()


def _timed(method: Method, vectors: np.ndarray, data: str, truth: Labels) -> Row:
    started = time.perf_counter()
    labels = method.run(vectors)
    return _row(method.name, data, "planted group", truth, labels, time.perf_counter() - started)


def _row(method: str, data: str, kind: str, truth: Labels, predicted: Labels, seconds: float) -> Row:
    measured: GroupingScores = scores(truth, predicted)
    return Row(
        method=method,
        data=data,
        truth=kind,
        images=len(truth),
        seconds=round(seconds, 2),
        groups=len(np.unique(predicted[predicted >= 0])),
        alone=round(float(np.mean(predicted < 0)), 3),
        **{name: round(value, 4) for name, value in asdict(measured).items()},
    )


def _on_corpus(corpus: Corpus) -> Iterator[Row]:
    """Originals alone, then with their copies; each method once, against every truth."""
    for name, part in (("originals", corpus.originals), ("with altered copies", corpus)):
        for method in methods(corpus.min_cosine, CORPUS_THRESHOLDS):
            if not method.installed or len(part.vectors) > method.most:
                continue
            started = time.perf_counter()
            if method.name == OURS:
                predicted = by_dejafake(part.vectors, part.min_cosine, part.copies)
            else:
                predicted = method.run(part.vectors)
            seconds = time.perf_counter() - started
            for kind, truth in part.truths.items():
                yield _row(method.name, name, kind, truth, predicted, seconds)


def _planted_checks(rows: Sequence[Row], sizes: Sequence[int]) -> Iterator[Check]:
    for size in sizes:
        of_size = {row.method: row for row in rows if row.data == f"planted {size:,}"}
        ours, peers = of_size[OURS], [row for name, row in of_size.items() if not name.startswith(OURS)]
        as_given = max((row.bcubed_f1 for row in peers if TUNED not in row.method), default=None)
        tuned = max((row.bcubed_f1 for row in peers), default=None)
        for what, best in (("", as_given), (f", those {TUNED} among them", tuned)):
            if best is not None:
                lead = round(ours.bcubed_f1 - best, 4)
                yield Check(f"{size:,}: B-cubed F1 above the best peer{what}", lead, ">= 0.05", lead >= 0.05)
        yield Check(f"{size:,}: overall ARI", ours.ari, ">= 0.9", ours.ari >= 0.9)
        if size == MIDDLE and REFERENCE in of_size:
            times = round(of_size[REFERENCE].seconds / ours.seconds, 1)
            yield Check(f"{size:,}: times faster than scikit-learn's HDBSCAN", times, ">= 90", times >= 90)
        if size == LARGE and FAST_PEER in of_size:
            times = round(of_size[FAST_PEER].seconds / ours.seconds, 2)
            yield Check(f"{size:,}: times faster than fast_hdbscan", times, ">= 1", times >= 1)


def _corpus_checks(rows: Sequence[Row]) -> Iterator[Check]:
    judged = [row for row in rows if not row.data.startswith("planted")]
    for data, truth in dict.fromkeys((row.data, row.truth) for row in judged):
        some = [row for row in judged if (row.data, row.truth) == (data, truth) and TUNED not in row.method]
        ours = next(row.bcubed_f1 for row in some if row.method == OURS)
        lead = round(ours - max(row.bcubed_f1 for row in some if not row.method.startswith(OURS)), 4)
        yield Check(f"corpus, {data}, by {truth}: B-cubed F1 above the best peer", lead, "> 0", lead > 0)


def _run_checks(costs: Sequence[RunCost]) -> Iterator[Check]:
    if len(costs) > 1:
        slope = _slope(costs)
        yield Check("slope of the time of a clustering run", slope, "<= 1.15", slope <= 1.15)
    for cost in costs:
        if cost.images == MILLION:
            yield Check("1,000,000: seconds of a clustering run", cost.seconds, "<= 120", cost.seconds <= 120)
            gigabytes = round(cost.peak_mib / 1_024, 2)
            yield Check("1,000,000: GiB of memory", gigabytes, "< 6", gigabytes < 6)


def _slope(costs: Sequence[RunCost]) -> float:
    """How the time grows: as images to this power, by least squares."""
    sizes, seconds = np.log([cost.images for cost in costs]), np.log([cost.seconds for cost in costs])
    return round(float(np.polyfit(sizes, seconds, 1)[0]), 3)


def _figures(costs: Sequence[RunCost]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for cost in costs:
        figures[f"clustering_run_of_{cost.images}_seconds"] = cost.seconds
        figures[f"clustering_run_of_{cost.images}_peak_mib"] = cost.peak_mib
        for step, seconds in cost.steps.items():
            figures[f"clustering_run_of_{cost.images}_{step.replace(' ', '_')}_seconds"] = seconds
    return figures


if __name__ == "__main__":
    sys.exit(main())
