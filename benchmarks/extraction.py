"""How many pictures a second become embeddings? `python -m benchmarks.extraction [--full] [--pictures MANIFEST]`

ViT-S/16 at 384 px with random weights in the real layout, from JPEG files on disk to embeddings, in each runtime that
works here; beside it, in turns, the transformers pipeline, a plain timm loop, and bare forward passes in ONNX Runtime
and OpenVINO, with the matrix products alone as the limit. `--pictures` adds how far each runtime is from fp32.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from benchmarks.extracting import peers
from benchmarks.extracting.agreement import Agreement, agreement, agreement_checks, runtimes_here
from benchmarks.extracting.memory import peak_memory_by_runtime
from benchmarks.made_up.vit import BLOCKS, write_jpegs, write_random_vit
from benchmarks.reporting.report import Check, Report, conclude
from indexer.detector import Detector, load_detector
from indexer.imaging.decoding import decode, read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.threads.ahead import prepared_ahead

BATCHES = (1, 8)
KINDS = {"1024 x 1024 JPEG": (1024, 1024), "12 MP JPEG": (4000, 3000)}
PIPELINE = "transformers pipeline fp32"
FASTER_THAN_PIPELINE, OF_BEST_BARE = 4.0, 0.9


@dataclass(frozen=True, slots=True)
class Row:
    """Pictures a second of one way to do one thing: the median over the rounds and their extremes."""

    what: str
    source: str
    batch: int
    pictures_s: float
    least_s: float
    most_s: float


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured: files a turn, turns, single pictures timed, pictures for agreement (None: all), the blocks
    of the transformer, and pictures a pass of those from files."""

    files: int
    rounds: int
    singles: int
    judged: int | None
    blocks: int = BLOCKS
    batches: tuple[int, ...] = (8,)


SMALL, FULL = Amount(8, 2, 12, 16), Amount(32, 7, 200, None, batches=BATCHES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extraction", description=__doc__)
    parser.add_argument("--full", action="store_true", help="more files, more turns, all pictures")
    parser.add_argument("--pictures", type=Path, help="folder, manifest or archive to compare with fp32 on")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        amount = FULL if options.full else SMALL
        return conclude("extraction", lambda: measure(Path(temporary), amount, options.pictures), options.json)


def measure(folder: Path, amount: Amount, pictures: Path | None) -> Report:
    """Times and judges everything below `folder`; `pictures` is what can be ingested, None leaves the agreement out."""
    vit = write_random_vit(folder / "vit", amount.blocks)
    settings = Settings.load(home=folder / "home", device="cpu", precision="auto", runtime="auto", detector=str(vit))
    memory = peak_memory_by_runtime(settings)
    chosen = load_detector(settings)
    choice = chosen.choose_runtime()
    here = runtimes_here(settings, choice)
    rows = _from_files(folder, settings, vit, chosen, amount) + _bare(folder, here, amount)
    judged: list[Agreement] = []
    if pictures is not None:
        small = settings.model_copy(update={"detector": "dejafake-small"})
        trial = load_detector(small).choose_runtime()
        judged = agreement(settings, choice, here, pictures, amount.judged)
        judged += agreement(small, trial, runtimes_here(small, trial), pictures, amount.judged)
    serving = f"{chosen.runtime} {chosen.precision}"
    return Report(
        question="How many pictures a second become embeddings?",
        parameters={"files": amount.files, "rounds": amount.rounds, "auto_runs_on": serving},
        rows=rows,
        checks=(*_checks(rows), *agreement_checks(judged)),
        figures={
            **_latency(here, folder, amount.singles),
            **{f"peak_memory_{name.replace(' ', '_')}_mib": mib for name, mib in memory.items()},
            **{name: value for judgement in judged for name, value in judgement.figures().items()},
        },
    )


def extract(detector: Detector, paths: Sequence[Path], batch: int, workers: int) -> int:
    """Embeds files as an ingest does, decoding ahead of the model; returns how many."""
    limits = ImageLimits.from_settings(Settings.load())

    def prepare(path: Path) -> np.ndarray:
        return detector.prepare(decode(read_bytes(path, limits), limits).rgb)

    waiting: list[np.ndarray] = []
    done = 0
    for pixels in prepared_ahead(prepare, paths, workers=workers, window=workers + 2 * batch):
        waiting.append(pixels)
        if len(waiting) == batch:
            done += len(detector.run(np.stack(waiting)).embeddings)
            waiting.clear()
    return done + (len(detector.run(np.stack(waiting)).embeddings) if waiting else 0)


def _from_files(folder: Path, settings: Settings, vit: Path, chosen: Detector, amount: Amount) -> tuple[Row, ...]:
    eager = load_detector(settings.model_copy(update={"runtime": "eager"}))
    model = eager._network.model
    rows: list[Row] = []
    for kind, size in KINDS.items():
        paths = write_jpegs(folder / f"{size[0]}", size, amount.files)
        for batch in amount.batches:
            ways: dict[str, Callable[[], object]] = {
                "dejafake auto": partial(extract, chosen, paths, batch, settings.decode_workers),
                "dejafake eager": partial(extract, eager, paths, batch, settings.decode_workers),
            }
            from_files = {
                PIPELINE: peers.transformers_pipeline(vit, batch),
                "timm loop eager fp32": peers.timm_loop(model, eager.prepare, batch),
            }
            ways |= {name: partial(run, paths) for name, run in from_files.items()}
            rows += _in_turns(ways, kind, batch, amount.files, amount.rounds)
    return tuple(rows)


def _bare(folder: Path, here: Mapping[str, Detector], amount: Amount) -> tuple[Row, ...]:
    model = here["eager fp32"]._network.model
    rows: list[Row] = []
    for batch in BATCHES:
        pixels = np.random.default_rng(0).standard_normal((batch, 3, 384, 384), dtype=np.float32)
        ways: dict[str, Callable[[], object]] = {
            f"dejafake {name}": partial(detector.run, pixels) for name, detector in here.items()
        }
        ways |= {
            f"bare {name}": partial(run, pixels) for name, run in peers.bare_forwards(model, folder, batch).items()
        }
        ways |= peers.products_alone(batch)
        rows += _in_turns(ways, "prepared", batch, batch, 1 + amount.rounds)
    return tuple(rows)


def _in_turns(
    ways: Mapping[str, Callable[[], object]], source: str, batch: int, pictures: int, rounds: int
) -> list[Row]:
    """Pictures a second of each, A B A B, after one turn that is not counted."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, run in ways.items():
            began = perf_counter()
            run()
            if number:
                rates[name].append(pictures / (perf_counter() - began))
    return [Row(name, source, batch, statistics.median(times), min(times), max(times)) for name, times in rates.items()]


def _latency(here: Mapping[str, Detector], folder: Path, singles: int) -> dict[str, float]:
    """Milliseconds from the bytes of one 1024 x 1024 JPEG to embedding and logit."""
    data = write_jpegs(folder / "single", KINDS["1024 x 1024 JPEG"], 1)[0].read_bytes()
    taken: dict[str, list[float]] = {name: [] for name in here}
    for _ in range(singles):
        for name, detector in here.items():
            began = perf_counter()
            detector.detect([data])
            taken[name].append((perf_counter() - began) * 1e3)
    return {
        f"single_picture_{name.replace(' ', '_')}_p{share}_ms": float(np.percentile(times, share))
        for name, times in taken.items()
        for share in (50, 95)
    }


def _checks(rows: Sequence[Row]) -> tuple[Check, ...]:
    rate = {(row.what, row.source, row.batch): row.pictures_s for row in rows}
    checks = []
    for kind in KINDS:
        faster = rate["dejafake auto", kind, 8] / rate[PIPELINE, kind, 8]
        name = f"times the transformers pipeline, batch 8, {kind}"
        checks.append(Check(name, faster, f">= {FASTER_THAN_PIPELINE}", faster >= FASTER_THAN_PIPELINE))
    bare = max(value for (what, _, batch), value in rate.items() if what.startswith("bare ") and batch == 8)
    ours = max(
        value
        for (what, source, batch), value in rate.items()
        if what.startswith("dejafake ") and source == "prepared" and batch == 8
    )
    share = ours / bare
    checks.append(Check("of the best bare forward of any peer, batch 8", share, f">= {OF_BEST_BARE}", share >= 0.9))
    return tuple(checks)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    sys.exit(main())
