"""Which runtime serves: each that could is built, held to the reference, timed on real shapes; the fastest is taken.

What is fast differs by an order of magnitude from machine to machine, so it is measured here and never assumed.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Final

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from indexer.detector.golden import TOLERANCES
from indexer.detector.runtimes.onednn import OneDnnRuntime
from indexer.detector.runtimes.openvino import OpenVinoRuntime
from indexer.detector.runtimes.runtime import Outputs, Runtime, RuntimeUnavailableError
from indexer.detector.spec import Head
from indexer.errors import DetectorError

MIN_COSINE: Final = 0.9995
"""Least cosine of an embedding to the reference's that a runtime must reach to be chosen by itself."""
MAX_P_DIFFERENCE: Final = 0.005
"""Most that p(fake) may differ from the reference's."""

_ROUNDS: Final = 2
_MUCH_FASTER: Final = 1.05
"""How much faster than the one before it a runtime must be to be preferred: what is simpler and exact comes first."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """A runtime as it was found. `rate` in pictures a second, `cosine` and `p_difference` the worst against the
    reference, all None when it could not be run; `why_not` says why it was not taken, None when it could be."""

    runtime: str
    precision: str
    rate: float | None
    cosine: float | None
    p_difference: float | None
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What serves: `taken`, None for the eager reference, and all that were `measured`, the reference first."""

    taken: Runtime | None
    measured: tuple[Measured, ...]


def choose(
    model: VisionTransformer,
    head: Head,
    pictures: Tensor,
    *,
    runtime: str,
    precision: str,
    batch_size: int,
    threads: int,
    reference: Callable[[Tensor], Outputs],
) -> Choice:
    """The fastest runtime that agrees with the reference.

    Args:
        model: in fp32 on the CPU.
        head: what makes p(fake) of logits.
        pictures: prepared pictures [N, 3, 384, 384] to judge and time by.
        runtime, precision: `auto`, or the only one to consider. One named alone is taken without being timed, and may
            differ as much as golden outputs may in its precision.
        batch_size, threads: as in the settings.
        reference: a forward pass through `model` as it is.

    Raises:
        DetectorError: the runtime named does not work here, or does not agree.
    """
    began = perf_counter()
    expected = reference(pictures)
    slowest = perf_counter() - began
    measured = [Measured("eager", "fp32", len(pictures) / slowest, 1.0, 0.0, None)]
    alone = runtime != "auto" and precision != "auto"
    best, best_seconds = None, slowest if runtime == "auto" else float("inf")
    for name, form, build in _candidates(model, runtime, precision, batch_size, threads):
        try:
            one = build()
            found = one.infer(pictures)
        except (RuntimeUnavailableError, RuntimeError, MemoryError) as error:
            measured.append(Measured(name, form, None, None, None, " ".join(str(error).split())[:200]))
            continue
        cosine, p_difference = _agreement(head, found, expected)
        why_not = _disagreement(found, expected, form) if alone else _too_far(cosine, p_difference)
        seconds = min(_seconds(one, pictures) for _ in range(1 if alone else _ROUNDS))
        if why_not is None and seconds * _MUCH_FASTER < best_seconds:
            best, best_seconds = one, seconds
        measured.append(Measured(name, form, len(pictures) / seconds, cosine, p_difference, why_not))
    if best is None and runtime != "auto":
        reasons = "; ".join(f"{one.precision}: {one.why_not}" for one in measured[1:])
        raise DetectorError(f"runtime {runtime} cannot be used ({reasons}): set DEJAFAKE_RUNTIME=auto")
    chosen = "eager fp32" if best is None else f"{best.name} {best.precision}"
    _log.info("the detector runs on %s, %.1f pictures a second", chosen, len(pictures) / min(best_seconds, slowest))
    return Choice(best, tuple(measured))


def _candidates(
    model: VisionTransformer, runtime: str, precision: str, batch_size: int, threads: int
) -> Iterator[tuple[str, str, Callable[[], Runtime]]]:
    builders: dict[str, Callable[[str], Runtime]] = {
        "onednn": lambda form: OneDnnRuntime(model, form, batch_size),
        "openvino": lambda form: OpenVinoRuntime(model, form, threads),
    }
    for name, builder in builders.items():
        for form in ("fp32", "bf16") if precision == "auto" else (precision,):
            if runtime in ("auto", name):
                yield name, form, partial(builder, form)


def _seconds(runtime: Runtime, pictures: Tensor) -> float:
    began = perf_counter()
    runtime.infer(pictures)
    return perf_counter() - began


def p_fake(head: Head, logits: Tensor) -> Tensor:
    """p(fake) [N], float64, of logits [N, C]."""
    wide = logits.double()
    return torch.sigmoid(wide[:, 0]) if head.kind == "sigmoid" else torch.softmax(wide, 1)[:, head.fake_index]


def _agreement(head: Head, found: Outputs, expected: Outputs) -> tuple[float, float]:
    cosines = torch.cosine_similarity(found.cls.double(), expected.cls.double())
    differences = (p_fake(head, found.logits) - p_fake(head, expected.logits)).abs()
    return float(cosines.min()), float(differences.max())


def _too_far(cosine: float, p_difference: float) -> str | None:
    if cosine >= MIN_COSINE and p_difference <= MAX_P_DIFFERENCE:
        return None
    return f"too far from the reference: cosine {cosine:.5f}, p(fake) {p_difference:.4f} off"


def _disagreement(found: Outputs, expected: Outputs, precision: str) -> str | None:
    furthest = max(
        float((found.cls - expected.cls).abs().max()),
        float((found.logits - expected.logits).abs().max()),
    )
    if furthest <= TOLERANCES[precision]:
        return None
    return f"too far from the reference: outputs differ by {furthest:.2g}, allowed is {TOLERANCES[precision]:.2g}"
