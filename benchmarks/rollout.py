"""What does the attention rollout cost beside a plain forward pass? `python -m benchmarks.rollout`

Random weights in the layout of ViT-S/16 at 384 px, for time does not depend on what weights say. Plain runs, runs with
the rollout, and a peer that multiplies the whole matrices of all blocks take turns in every round.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from benchmarks.reporting.report import Check, Report, conclude, peak_memory_mib
from indexer.arrays import Floats
from indexer.cli.output import progress
from indexer.detector import Detector, load_detector
from indexer.detector.spec import Architecture
from indexer.detector.weights import WEIGHTS_FILE, model_shapes
from indexer.settings import Settings

MOST = 1.3
"""Times a plain forward pass that one with the rollout may take."""
SAME = 1e-4
"""Largest difference to the naive rollout."""


@dataclass(frozen=True, slots=True)
class Row:
    """One batch size: milliseconds a run (medians over the rounds) and, as medians of the rounds' ratios, what the
    rollout and the naive peer take in plain runs."""

    pictures: int
    plain_ms: float
    rollout_ms: float
    naive_ms: float
    rollout_ratio: float
    naive_ratio: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rollout", description=__doc__)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8], help="pictures a run")
    parser.add_argument("--rounds", type=int, default=7, help="how often each takes its turn")
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="fp32")
    parser.add_argument("--threads", type=int, default=0, help="compute threads; 0: one per core")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        settings = Settings.load(
            home=Path(temporary) / "home", device="cpu", precision=options.precision, threads=options.threads
        )

        def run() -> Report:
            return measure(settings, Path(temporary) / "random", options.batches, options.rounds)

        return conclude("rollout", run, options.json)


def measure(settings: Settings, folder: Path, batches: Sequence[int], rounds: int, *, blocks: int = 12) -> Report:
    """Times the three ways.

    Args:
        settings: device, precision and threads; `batch_size` is set to hold the largest batch.
        folder: where the random weights are written; must not exist.
        batches: pictures a run.
        rounds: turns of each way, after one that is not counted.
        blocks: of the transformer.
    """
    fitting = settings.model_copy(update={"batch_size": max(batches)})
    detector = load_detector(fitting, str(random_checkpoint(folder, blocks)))
    random = np.random.default_rng(1)
    rows, apart = [], 0.0
    with progress("rounds", len(batches) * (rounds + 1)) as advance:
        for count in batches:
            batch = random.standard_normal((count, 3, 384, 384), dtype=np.float32)
            apart = max(apart, float(np.abs(_rollout(detector, batch) - _naive(detector, batch)).max()))
            rows.append(_timed(detector, batch, rounds, lambda: advance(1)))
    return Report(
        question="What does the attention rollout cost beside a plain forward pass?",
        parameters={
            "architecture": f"ViT-S/16 at 384 px, {blocks} blocks, random weights",
            "device": detector.device,
            "precision": detector.precision,
            "threads": settings.threads or "one per core",
            "rounds": rounds,
        },
        rows=tuple(rows),
        checks=(
            *(
                Check(
                    f"{row.pictures} a run: with rollout, in plain runs",
                    row.rollout_ratio,
                    f"at most {MOST}",
                    row.rollout_ratio <= MOST,
                )
                for row in rows
            ),
            Check("largest difference to the naive rollout", apart, f"at most {SAME:g}", apart <= SAME),
        ),
        figures={"peak_memory_mib": peak_memory_mib()},
    )


def _timed(detector: Detector, batch: Floats, rounds: int, done: Callable[[], None]) -> Row:
    """The three ways in turns, so that what disturbs the machine disturbs all of them."""
    seconds: list[tuple[float, float, float]] = []
    for _ in range(rounds + 1):
        seconds.append(
            (
                _seconds(lambda: detector.run(batch)),
                _seconds(lambda: _rollout(detector, batch)),
                _seconds(lambda: _naive(detector, batch)),
            )
        )
        done()
    plain, rollout, naive = (list(column) for column in zip(*seconds[1:], strict=True))
    return Row(
        pictures=len(batch),
        plain_ms=statistics.median(plain) * 1000,
        rollout_ms=statistics.median(rollout) * 1000,
        naive_ms=statistics.median(naive) * 1000,
        rollout_ratio=statistics.median(b / a for a, b in zip(plain, rollout, strict=True)),
        naive_ratio=statistics.median(b / a for a, b in zip(plain, naive, strict=True)),
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _rollout(detector: Detector, batch: Floats) -> Floats:
    rollout = detector.run(batch, rollout=True).rollout
    assert rollout is not None
    return rollout


def _naive(detector: Detector, batch: Floats) -> Floats:
    """As the paper writes it: attention maps of all heads, their means, and the product of whole matrices."""
    maps = detector.run(batch, attention=True).attention
    assert maps is not None
    identity = np.eye(577, dtype=np.float32)
    product = np.broadcast_to(identity, (len(batch), 577, 577))
    for per_head in maps:
        product = (per_head.mean(axis=1) + identity) / 2 @ product
    patches = product[:, 0, 1:]
    shares: Floats = (patches / patches.sum(axis=1, keepdims=True)).reshape(-1, 24, 24)
    return shares


def random_checkpoint(folder: Path, blocks: int) -> Path:
    """A detector of random weights in timm's layout of ViT-S/16 at 384 px, in `folder`, which is made."""
    random = np.random.default_rng(0)
    shapes = model_shapes(Architecture("vit_small_patch16_384", blocks, 6, 1536), 1)
    folder.mkdir()
    tensors = {name: random.standard_normal(shape, np.float32) * np.float32(0.05) for name, shape in shapes.items()}
    save_file(tensors, folder / WEIGHTS_FILE)
    config = {
        "architecture": "vit_small_patch16_384",
        "num_classes": 1,
        "label_names": ["fake"],
        "model_args": {"depth": blocks},
        "pretrained_cfg": {
            "input_size": [3, 384, 384],
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


if __name__ == "__main__":
    sys.exit(main())
