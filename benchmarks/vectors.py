"""How fast are nearest neighbours found, and at what recall? `python -m benchmarks.vectors [--full] [--real PICTURES]`

Our VectorStore beside hnswlib, usearch and FAISS, on planted vectors (see planted_vectors) or on embeddings of real
pictures. Every engine searches with the fastest of its settings that reaches the recall. Each peer takes turns with
dejafake, and a ratio is of the two in the same rounds.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from json import dumps, loads
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from benchmarks.engines.engines import Cost, Vectors
from benchmarks.engines.real_vectors import real_vectors
from benchmarks.engines.worker import ROUNDING, TOLERANCE, K, Trial, Worker, worker
from benchmarks.made_up.vectors import QUERIES, planted
from benchmarks.reporting.report import Check, Plot, Report, conclude
from indexer.cli.output import progress
from indexer.settings import Settings

OURS = "dejafake"
FAIR = "hnswlib efC=300"
FEW_PEERS = (FAIR, "FAISS flat")
ALL_PEERS = (FAIR, "hnswlib efC=100", "usearch f32", "usearch bf16", "FAISS HNSW", "FAISS flat")
TARGETS = (0.95, 0.99)
ROUNDS = 7
SINGLES = 60
MILLION = 1_000_000
SPEED = {(100_000, 0.99): 1.8, (MILLION, 0.95): 2.2, (MILLION, 0.99): 2.0}
"""Times the queries a second of hnswlib efConstruction 300 that are wanted, by vectors and recall."""


@dataclass(frozen=True, slots=True)
class Row:
    """One engine at the fastest setting that reaches `wanted` recall@10 (None: exact, or as it was built); one that
    cannot reach it stands there with the highest `recall` it can.

    `strict_recall` counts only what is as near as the true ten. `p50_ms`, `p95_ms`: one query, one thread;
    `queries_a_second`: all in one call, two threads. Of dejafake, `times_ours` is empty; of a peer, it is our queries a
    second in its own, medians of the rounds' ratios, and `latency_ratio` our p50 in its own. `memory_mib` is resident
    after the searches, mapped files included, `anonymous_mib` what of it is not mapped from a file.
    """

    data: str
    engine: str
    wanted: float | None
    setting: str
    recall: float
    strict_recall: float
    p50_ms: float
    p95_ms: float
    queries_a_second: float
    times_ours: float | None
    latency_ratio: float | None
    build_s: float
    build_cpu_s: float
    bytes_a_vector: float
    memory_mib: float
    anonymous_mib: float
    open_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """What is searched: a file of vectors [count, 384], queries that are not in it, the cosine of each one's tenth, and
    how much farther than that a hit may be."""

    name: str
    count: int
    folder: Path
    queries: Vectors
    truth: npt.NDArray[np.float32]
    tolerance: float = TOLERANCE


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vectors", description=__doc__)
    parser.add_argument("--full", action="store_true", help="10 thousand, 100 thousand and a million, all peers")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of planted vectors; default: 10000 100000")
    parser.add_argument("--peers", nargs="*", choices=ALL_PEERS, help="default: two of them, with --full all")
    parser.add_argument("--real", type=Path, metavar="PICTURES", help="manifest or folder: its pictures, altered, too")
    parser.add_argument("--per-picture", type=int, default=80, help="altered copies of each picture")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each takes its turn")
    parser.add_argument("--cache", type=Path, help="folder to keep vectors and built indexes in; default: none is kept")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)
    sizes = options.sizes or ([10_000, 100_000, MILLION] if options.full else [10_000, 100_000])
    peers = options.peers if options.peers is not None else (ALL_PEERS if options.full else FEW_PEERS)
    with tempfile.TemporaryDirectory() as temporary:
        cache = options.cache or Path(temporary)

        def run() -> Report:
            data = [planted_data(size, cache) for size in sizes]
            if options.real:
                data.append(real_data(options.real, options.per_picture, cache))
            return measure(data, peers, options.rounds)

        return conclude("vectors", run, options.json)


def planted_data(count: int, cache: Path, queries: int = QUERIES) -> Data:
    """Planted vectors; in memory only while they are made."""

    def make() -> tuple[Vectors, Vectors]:
        data = planted(count, queries=queries)
        return data.vectors, data.queries

    return _data(f"planted {count:,}", cache / f"planted-{count}", make)


def real_data(pictures: Path, per_picture: int, cache: Path) -> Data:
    """Embeddings of altered copies, some of which ask and are not in the index. Copies of one picture are nearer to
    each other than the usual tolerance, so that only ties count."""

    def make() -> tuple[Vectors, Vectors]:
        vectors = real_vectors(pictures, per_picture, Settings.load(home=cache / "home"), cache / "embeddings")
        asked = np.random.default_rng(1).permutation(len(vectors))[: min(QUERIES, len(vectors) // 10)]
        return np.delete(vectors, asked, axis=0), vectors[asked]

    data = _data(f"real pictures, {per_picture} copies each", cache / f"real-{per_picture}", make)
    return replace(data, tolerance=ROUNDING)


def _data(name: str, folder: Path, make: Callable[[], tuple[Vectors, Vectors]]) -> Data:
    if not (folder / "truth.npy").exists():
        vectors, queries = make()
        folder.mkdir(parents=True, exist_ok=True)
        scores, _ = faiss.knn(queries, vectors, K, metric=faiss.METRIC_INNER_PRODUCT)
        np.save(folder / "vectors.npy", vectors)
        np.save(folder / "queries.npy", queries)
        np.save(folder / "truth.npy", scores[:, -1])
    count = len(np.load(folder / "vectors.npy", mmap_mode="r"))
    return Data(name, count, folder, np.load(folder / "queries.npy"), np.load(folder / "truth.npy"))


def measure(data: Sequence[Data], peers: Sequence[str], rounds: int = ROUNDS) -> Report:
    """Builds and times every engine on every data set."""
    rows: list[Row] = []
    checks: list[Check] = []
    with progress("engines", len(data) * (len(peers) + 1)) as advance:
        for dataset in data:
            compared = list(_compare(dataset, peers, rounds, lambda: advance(1)))
            rows += compared
            checks += _checks(dataset, compared)
    return Report(
        question="How fast are nearest neighbours found, and at what recall?",
        parameters={
            "dimension": 384,
            "recall": "at 10; a hit is at most 1e-3 farther than the tenth nearest, of real pictures no farther",
            "queries": len(data[0].queries),
            "rounds": rounds,
            "threads": "one for single queries, two for batches and builds",
        },
        rows=tuple(rows),
        checks=tuple(checks),
        plots=tuple(_plots(data, rows)),
    )


def _plots(data: Sequence[Data], rows: Sequence[Row]) -> Iterator[Plot]:
    """Of the highest recall wanted, over the number of planted vectors."""
    count = {dataset.name: float(dataset.count) for dataset in data if dataset.name.startswith("planted")}
    chosen = [row for row in rows if row.data in count and row.wanted == TARGETS[-1] and row.recall >= TARGETS[-1]]
    for what, value in (("queries_a_second", "queries a second, two threads"), ("p50_ms", "p50 of one query, ms")):
        series: dict[str, list[tuple[float, float]]] = {}
        for row in chosen:
            series.setdefault(row.engine, []).append((count[row.data], getattr(row, what)))
        if series:
            yield Plot(f"At recall@10 of {TARGETS[-1]}", "vectors", value, series, log=True)


def _compare(data: Data, peers: Sequence[str], rounds: int, done: Callable[[], None]) -> Iterator[Row]:
    cost = _built(OURS, data)
    done()
    alone: list[Row] = []
    for peer in peers:
        theirs = _built(peer, data)
        with worker(OURS) as ours, worker(peer) as other:
            opened = _opened(ours, data), _opened(other, data)
            trials = [engine.trials(data.queries, data.truth, data.tolerance) for engine in (ours, other)]
            exact = trials[1][0].setting == ()
            for target in (None,) if exact else TARGETS:
                chosen = _fastest(trials[0], target), _fastest(trials[1], target)
                pair = _turns(data, (ours, chosen[0]), (other, chosen[1]), rounds)
                if not any(row.wanted == target for row in alone):
                    alone.append(_row(data, ours, chosen[0], target, pair[0], None, cost, opened[0]))
                yield _row(data, other, chosen[1], target, pair[1], pair[0], theirs, opened[1])
        done()
    yield from alone


def _built(name: str, data: Data) -> Cost:
    folder = data.folder / name.replace(" ", "-")
    note = folder.with_suffix(".json")
    if not note.exists():
        folder.mkdir()
        with worker(name) as builder:
            cost = builder.build(data.folder / "vectors.npy", folder)
        note.write_text(dumps(asdict(cost)))
    return Cost(**loads(note.read_text()))


def _opened(engine: Worker, data: Data) -> float:
    return engine.open(data.folder / engine.name.replace(" ", "-"))


def _fastest(trials: Sequence[Trial], target: float | None) -> Trial:
    """The fastest that reaches the recall, else the one nearest to it; for None the first, the engine's own choice."""
    if target is None:
        return trials[0]
    enough = [trial for trial in trials if trial.recall >= target]
    return min(enough, key=lambda trial: trial.seconds) if enough else max(trials, key=lambda trial: trial.recall)


@dataclass(frozen=True, slots=True)
class _Times:
    together: list[float]
    singly: list[float]


def _turns(data: Data, a: tuple[Worker, Trial], b: tuple[Worker, Trial], rounds: int) -> tuple[_Times, _Times]:
    """Both in turns, A B A B, so that what disturbs the machine disturbs both."""
    times = _Times([], []), _Times([], [])
    for number in range(rounds):
        for (engine, trial), time in zip((a, b), times, strict=True):
            time.together.append(engine.together(trial.setting, data.queries))
        some = data.queries[number * SINGLES :][:SINGLES]
        for (engine, trial), time in zip((a, b), times, strict=True):
            time.singly.extend(engine.singly(trial.setting, some))
    return times


def _row(
    data: Data,
    engine: Worker,
    trial: Trial,
    target: float | None,
    times: _Times,
    ours: _Times | None,
    cost: Cost,
    opened: float,
) -> Row:
    resident, anonymous = engine.memory()
    p50 = statistics.median(times.singly)
    faster = None
    if ours is not None:
        faster = statistics.median(b / a for a, b in zip(ours.together, times.together, strict=True))
    return Row(
        data=data.name,
        engine=engine.name,
        wanted=target,
        setting=" ".join(map(str, trial.setting)),
        recall=trial.recall,
        strict_recall=trial.strict_recall,
        p50_ms=p50 * 1000,
        p95_ms=float(np.percentile(times.singly, 95)) * 1000,
        queries_a_second=len(data.queries) / statistics.median(times.together),
        times_ours=faster,
        latency_ratio=None if ours is None else statistics.median(ours.singly) / p50,
        build_s=cost.seconds,
        build_cpu_s=cost.cpu_seconds,
        bytes_a_vector=cost.bytes / data.count,
        memory_mib=resident,
        anonymous_mib=anonymous,
        open_s=opened,
    )


def _checks(data: Data, rows: Sequence[Row]) -> Iterator[Check]:
    ours = {row.wanted: row for row in rows if row.engine == OURS}
    if None in ours:
        built = ours[None]
        aim = 0.99 if data.count > 50_000 else 1.0
        name = f"{data.name}: recall@10 as built"
        yield Check(name, built.strict_recall, f"at least {aim:g}", built.strict_recall >= aim)
    if data.count == MILLION and ours:
        opened = min(row.open_s for row in ours.values())
        yield Check(f"{data.name}: opens, seconds", opened, "below 0.1", opened < 0.1)
    for row in rows:
        if row.engine != FAIR or row.wanted is None or row.recall < row.wanted or row.wanted not in ours:
            continue
        at = f"{data.name} at {row.wanted}, to {FAIR}"
        aim = SPEED.get((data.count, row.wanted))
        if aim is not None and row.times_ours is not None:
            yield Check(f"{at}: queries a second", row.times_ours, f"at least {aim} times", row.times_ours >= aim)
        if data.count < MILLION or row.wanted != 0.99 or row.latency_ratio is None:
            continue
        yield Check(f"{at}: one query", row.latency_ratio, "at most 1 times", row.latency_ratio <= 1)
        mine = ours[row.wanted]
        for what, share, most in (
            ("memory, mapped files included", mine.memory_mib / row.memory_mib, 0.5),
            ("memory, mapped files not counted", mine.anonymous_mib / row.anonymous_mib, 0.5),
            ("processor time of the build", mine.build_cpu_s / row.build_cpu_s, 0.3),
        ):
            yield Check(f"{at}: {what}", share, f"at most {most} times", share <= most)


if __name__ == "__main__":
    sys.exit(main())
