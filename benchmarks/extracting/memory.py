"""Peak memory of each runtime in a process of its own: a part of `benchmarks.extraction`."""

from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np

from benchmarks.reporting.report import peak_memory_mib
from indexer.errors import DejafakeError
from indexer.settings import Settings

RUNTIMES = (
    ("eager", "fp32"),
    ("onednn", "fp32"),
    ("onednn", "bf16"),
    ("openvino", "fp32"),
    ("openvino", "bf16"),
)


def peak_memory_by_runtime(settings: Settings) -> Mapping[str, float]:
    """MiB after two batches of eight in each runtime that works here, by runtime and precision."""
    context, peaks = get_context("spawn"), {}
    for runtime, precision in RUNTIMES:
        here, there = context.Pipe(duplex=False)
        changed = settings.model_copy(update={"runtime": runtime, "precision": precision})
        process = context.Process(target=_measure, args=(changed.model_dump(), there))
        process.start()
        there.close()
        try:
            mib: float = here.recv()
        except EOFError:  # it ended without a word
            mib = 0.0
        process.join()
        if mib:
            peaks[f"{runtime} {precision}"] = mib
    return peaks


def _measure(changes: dict[str, object], answer: Connection) -> None:
    from indexer.detector import load_detector

    try:
        detector = load_detector(Settings.load(**changes))
    except DejafakeError:
        answer.send(0.0)
        return
    batch = np.zeros((8, 3, 384, 384), np.float32)
    for _ in range(2):
        detector.run(batch)
    answer.send(peak_memory_mib())
