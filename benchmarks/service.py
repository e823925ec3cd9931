"""How fast does the API answer under load? `python -m benchmarks.service [--full]`

A real server in a process of its own on loopback, its catalogue made up, pictures uploaded as JPEG. Requests go beside
the bare detector in this process, in turns: one forward pass, and pictures extracted in batches with decoding
overlapped. The peers are the same server with batches of one, and with a process a core. `--full`: a million vectors,
10,000 requests.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import httpx
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.made_up.catalogue import fill
from benchmarks.made_up.jpegs import large_jpegs
from benchmarks.reporting.report import Check, Report, conclude
from benchmarks.rollout import random_checkpoint
from benchmarks.serving.load import Load, load, post, upload
from benchmarks.serving.servers import LOAD, Server, environment_of, running
from indexer.catalog.detections import embeddings
from indexer.cli.output import progress
from indexer.detector import Detector, load_detector
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.threads import thread_count
from indexer.threads.ahead import prepared_ahead
from indexer.workspace import Workspace

QUESTION = "How fast does the API answer under load?"
BUNDLED, RANDOM = "dejafake-small", "ViT-S/16 at 384 px, random weights"
PICTURES = 16
SIDE = 1024
PROCESSES = max(2, thread_count(0))
RUNTIME = "eager"
"""One arithmetic for the server and the bare detector beside it; which is fastest is the question of extraction."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked. `vectors` in the catalogue; `rounds` of turns; `pictures` a client in a turn; `references` by
    id and as many by vector in a turn; `lasting` requests over which memory is watched."""

    vectors: int = 20_000
    rounds: int = 2
    pictures: int = 4
    references: int = 300
    lasting: int = 1_000


FULL = Size(vectors=1_000_000, rounds=2, pictures=8, references=2_000, lasting=10_000)


@dataclass(frozen=True, slots=True)
class Row:
    """What was asked of which detector's server, by so many clients at a time: requests a second (median of the
    rounds) and, over all rounds, percentiles of their time. `clients_busy`: processor time of the clients' process a
    second of wall time. The bare detector's rows stand for one "client"."""

    what: str
    detector: str
    clients: int
    requests: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    clients_busy: float


@dataclass(frozen=True, slots=True)
class Servers:
    """One of one process, the same with batches of one, and one of several processes."""

    one: Server
    single: Server
    several: Server


def measure(size: Size, folder: Path, detectors: Mapping[str, str]) -> Report:
    """The report; everything is made in `folder`. `detectors`: settings by a name for people; with the last one images
    are also searched with by id and by vector, and memory is watched."""
    pictures = large_jpegs(PICTURES, SIDE)
    uploads = [upload("/v1/search", "image", picture) for picture in pictures]
    rows: list[Row] = []
    checks: list[Check] = []
    figures: dict[str, float] = {}
    for number, (name, chosen) in enumerate(detectors.items(), start=1):
        settings = Settings.load(home=folder / f"home-{number}", detector=chosen, runtime=RUNTIME)
        references = _filled(settings, size) if number == len(detectors) else {}
        with ExitStack() as stack:
            server = stack.enter_context(running(settings))
            single = stack.enter_context(running(settings.model_copy(update={"batch_size": 1})))
            several = stack.enter_context(running(settings.model_copy(update={"workers": PROCESSES})))
            detector = load_detector(settings)
            timed = _in_turns(
                _turns(Servers(server, single, several), detector, settings, pictures, uploads, references, size),
                size.rounds,
            )
            rows += [_row(name, *key, loads) for key, loads in timed.items()]
            checks += _picture_checks(name, timed)
            steps = _steps(server.port)
            slowest = next(iter(steps))
            checks.append(Check(f"{name}: slowest step of a search", slowest, "model", slowest == "model"))
            figures |= {f"detector_{number}_{step}_ms": mean for step, mean in steps.items()}
            if references:
                checks += [*_reference_checks(timed), _memory_check(server, uploads, references, size, figures)]
            checks.append(_start_check(name, server, settings))
    parameters = {
        "detectors": list(detectors),
        "vectors": size.vectors,
        "rounds": size.rounds,
        "pictures": f"{PICTURES} of {SIDE} x {SIDE}, JPEG",
        "precision": detector.precision,
        "load": round(os.getloadavg()[0], 1),
    }
    return Report(QUESTION, parameters, tuple(rows), tuple(checks), figures)


Turn = Callable[[], Load]
Key = tuple[str, int]


def _turns(
    servers: Servers,
    detector: Detector,
    settings: Settings,
    pictures: Sequence[bytes],
    uploads: Sequence[bytes],
    references: Mapping[str, Sequence[bytes]],
    size: Size,
) -> dict[Key, Turn]:
    """What is measured in each round, by what it is and how many clients at a time."""

    def some(clients: int) -> list[bytes]:
        return [
            uploads[number % len(uploads)] for number in range(max(2 * size.pictures, clients * size.pictures // 2))
        ]

    turns: dict[Key, Turn] = {
        ("bare model pass", 1): lambda: _bare_passes(detector, 2 * size.pictures),
        ("bare batch extraction", 1): lambda: _bare_extraction(detector, settings, pictures),
    }
    for clients in (1, 4, 16):
        turns["search by picture", clients] = partial(load, servers.one.port, some(clients), clients=clients)
    turns["search by picture, no sharing", 16] = partial(load, servers.single.port, some(16), clients=16)
    turns[_of_several("search by picture"), 16] = partial(load, servers.several.port, some(16), clients=16)
    for what, requests in references.items():
        for clients in (1, 4):
            turns[what, clients] = partial(load, servers.one.port, requests, clients=clients)
        turns[_of_several(what), 8] = partial(load, servers.several.port, requests, clients=8)
    return turns


def _of_several(what: str) -> str:
    """The name of the same question to the server of several processes."""
    return f"{what}, {PROCESSES} processes"


def _in_turns(turns: Mapping[Key, Turn], rounds: int) -> dict[Key, list[Load]]:
    """Each in its turn, so that what disturbs the machine disturbs all; the first round is not counted."""
    timed: dict[Key, list[Load]] = {key: [] for key in turns}
    with progress("rounds", (rounds + 1) * len(turns)) as advance:
        for number in range(rounds + 1):
            for key, turn in turns.items():
                taken = turn()
                if number:
                    timed[key].append(taken)
                advance(1)
    return timed


def _bare_passes(detector: Detector, count: int) -> Load:
    pixels = np.random.default_rng(1).standard_normal((1, 3, 384, 384), dtype=np.float32)
    seconds = []
    for _ in range(count):
        started = perf_counter()
        detector.run(pixels)
        seconds.append(perf_counter() - started)
    return Load(tuple(seconds), sum(seconds), 0.0)


def _bare_extraction(detector: Detector, settings: Settings, pictures: Sequence[bytes]) -> Load:
    """Two batches decoded and prepared ahead in threads while the model runs, as an ingest does."""
    limits, batch = ImageLimits.from_settings(settings), settings.batch_size
    items = [pictures[number % len(pictures)] for number in range(2 * batch)]
    started = perf_counter()
    ready = prepared_ahead(
        lambda data: detector.prepare(decode(data, limits).rgb),
        items,
        workers=settings.decode_workers,
        window=settings.decode_workers + 2 * batch,
    )
    waiting = []
    for pixels in ready:
        waiting.append(pixels)
        if len(waiting) == batch:
            detector.run(np.stack(waiting))
            waiting = []
    wall = perf_counter() - started
    return Load((wall / len(items),) * len(items), wall, 0.0)


def _row(detector: str, what: str, clients: int, loads: Sequence[Load]) -> Row:
    seconds = [1_000 * value for taken in loads for value in taken.seconds]
    p50, p95, p99 = (round(float(np.percentile(seconds, share)), 2) for share in (50, 95, 99))
    return Row(
        what=what,
        detector=detector,
        clients=clients,
        requests=len(seconds),
        per_second=round(_rate(loads), 2),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        clients_busy=round(statistics.median(taken.busy / taken.wall for taken in loads), 3),
    )


def _rate(loads: Sequence[Load]) -> float:
    return statistics.median(taken.per_second for taken in loads)


def _picture_checks(name: str, timed: Mapping[Key, Sequence[Load]]) -> Iterator[Check]:
    bare = statistics.median(value for taken in timed["bare model pass", 1] for value in taken.seconds)
    asked = statistics.median(value for taken in timed["search by picture", 1] for value in taken.seconds)
    most = 1.15 * bare + 0.005
    yield Check(f"{name}: p50 of one request, ms", round(1_000 * asked, 1), f"<= {1_000 * most:.1f} ms", asked <= most)
    ways = {"search by picture": "16 clients", _of_several("search by picture"): "16 clients, a process a core"}
    for what, words in ways.items():
        pairs = zip(timed[what, 16], timed["bare batch extraction", 1], strict=True)
        share = statistics.median(ours.per_second / bare.per_second for ours, bare in pairs)
        yield Check(f"{name}: {words}, of the batch extraction rate", round(share, 3), ">= 0.9", share >= 0.9)


def _reference_checks(timed: Mapping[Key, Sequence[Load]]) -> Iterator[Check]:
    for what in ("search by id", "search by vector"):
        rate = max(_rate(loads) for (name, _), loads in timed.items() if name in (what, _of_several(what)))
        yield Check(f"{what}, a second", round(rate, 1), ">= 500", rate >= 500)


def _memory_check(
    server: Server,
    uploads: Sequence[bytes],
    references: Mapping[str, Sequence[bytes]],
    size: Size,
    figures: dict[str, float],
) -> Check:
    """Resident memory after the last quarter of many requests beside that after the first: of pictures one in twenty,
    by id and by vector the rest."""
    mixed = [value for pair in zip(*references.values(), strict=True) for value in pair]
    quarter = [
        uploads[number % len(uploads)] if number % 20 == 0 else mixed[number % len(mixed)]
        for number in range(size.lasting // 4)
    ]
    resident = []
    for _ in range(4):
        load(server.port, quarter, clients=4)
        resident.append(server.resident_mib())
    figures["resident_mib_after_a_quarter"], figures["resident_mib_at_the_end"] = resident[0], resident[-1]
    grown = round(resident[-1] / resident[0], 3)
    name = f"resident memory after {size.lasting:,} requests, of that after a quarter"
    return Check(name, grown, "<= 1.05", grown <= 1.05)


def _start_check(name: str, server: Server, settings: Settings) -> Check:
    """From the start of the process to the first 200 of /readyz, less loading the detector in a process of its own."""
    environment = {**os.environ, **environment_of(settings)}
    started = perf_counter()
    subprocess.run([sys.executable, "-c", LOAD], check=True, env=environment)
    rest = round(server.ready_s - (perf_counter() - started), 2)
    return Check(f"{name}: ready, less loading the detector, s", rest, "< 5 s", rest < 5)


def _steps(port: int) -> dict[str, float]:
    """Mean milliseconds of every step of a search since the server started, from /metrics, the slowest first."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=60).text
    sums: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in ("dejafake_search_step_seconds_sum", "dejafake_search_step_seconds_count"):
                sums.setdefault(sample.labels["step"], {})[sample.name.rpartition("_")[2]] = sample.value
    means = {step: 1_000 * told["sum"] / told["count"] for step, told in sums.items() if told["count"]}
    return {step: round(mean, 2) for step, mean in sorted(means.items(), key=lambda step_mean: -step_mean[1])}


def _filled(settings: Settings, size: Size) -> dict[str, list[bytes]]:
    """Makes the catalogue and its index; returns requests by id and by vector, of random images of it."""
    rng = np.random.default_rng(2)
    asked = rng.integers(1, size.vectors + 1, size.references).tolist()
    with Workspace(settings) as workspace:
        with progress("filling the catalogue", size.vectors) as advance:
            done = 0
            for count in fill(workspace.catalog, size.vectors, fingerprint=workspace.resolved.fingerprint):
                advance(count - done)
                done = count
        workspace.index.build()
        with workspace.catalog.reading() as session:
            stored = embeddings.vectors(session, workspace.resolved.fingerprint, asked)
    by_id = [{"image_id": sha256(str(image_id).encode()).hexdigest()} for image_id in asked]
    noise = rng.normal(0, 0.01, (len(asked), 384))
    by_vector = [
        {"embedding": [round(float(value), 6) for value in stored[image_id] + shift]}
        for image_id, shift in zip(asked, noise, strict=True)
    ]
    return {"search by id": _posts(by_id), "search by vector": _posts(by_vector)}


def _posts(bodies: Sequence[Mapping[str, object]]) -> list[bytes]:
    return [post("/v1/search", "application/json", json.dumps(body).encode()) for body in bodies]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"{FULL.vectors:,} vectors and {FULL.lasting:,} requests")
    parser.add_argument("--vectors", type=int, help="in the catalogue, whatever else is asked (default: 20000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def run() -> Report:
            detectors = {RANDOM: str(random_checkpoint(folder / "random", 12)), BUNDLED: BUNDLED}
            size = FULL if options.full else Size()
            return measure(replace(size, vectors=options.vectors or size.vectors), folder, detectors)

        return conclude("service", run, options.json)


if __name__ == "__main__":
    sys.exit(main())
