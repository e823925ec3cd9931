"""Which runtime serves a detector: what there is to try, and how near to the reference its outputs must be."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Final

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from indexer.detector.golden import TOLERANCES
from indexer.detector.runtimes.onednn import OneDnnRuntime
from indexer.detector.runtimes.openvino import OpenVinoRuntime
from indexer.detector.runtimes.runtime import Outputs, Runtime
from indexer.detector.runtimes.trial import MIN_COSINE, Candidate, Choice, Judgement, Measured, fastest
from indexer.detector.spec import Head

MAX_P_DIFFERENCE: Final = 0.005
"""Most that p(fake) may differ from the reference's for a runtime to be chosen by itself."""

_log = logging.getLogger(__name__)


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
) -> Choice[Runtime]:
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
    eager = Measured("eager", "fp32", len(pictures) / (perf_counter() - began), 1.0, 0.0, None)
    alone = runtime != "auto" and precision != "auto"

    def judge(outputs: Outputs, form: str) -> Judgement:
        cosine, p_difference = _agreement(head, outputs, expected)
        why_not = _disagreement(outputs, expected, form) if alone else _too_far(cosine, p_difference)
        return Judgement(cosine, p_difference, why_not)

    choice = fastest(
        _candidates(model, runtime, precision, batch_size, threads),
        lambda candidate: candidate.infer(pictures),
        judge,
        eager,
        len(pictures),
        requested=runtime,
        alone=alone,
    )
    taken = choice.taken
    _log.info("the detector runs on %s", "eager fp32" if taken is None else f"{taken.name} {taken.precision}")
    return choice


def _candidates(
    model: VisionTransformer, runtime: str, precision: str, batch_size: int, threads: int
) -> Iterator[Candidate[Runtime]]:
    builders: dict[str, Callable[[str], Runtime]] = {
        "onednn": lambda form: OneDnnRuntime(model, form, batch_size),
        "openvino": lambda form: OpenVinoRuntime(model, form, threads),
    }
    for name, builder in builders.items():
        for form in ("fp32", "bf16") if precision == "auto" else (precision,):
            if runtime in ("auto", name):
                yield Candidate(name, form, partial(builder, form))


def p_fake(head: Head, logits: Tensor) -> Tensor:
    """p(fake) [N], float64, of logits [N, C]."""
    wide = logits.double()
    return torch.sigmoid(wide[:, 0]) if head.kind == "sigmoid" else torch.softmax(wide, 1)[:, head.fake_index]


def _agreement(head: Head, outputs: Outputs, expected: Outputs) -> tuple[float, float]:
    cosines = torch.cosine_similarity(outputs.cls.double(), expected.cls.double())
    differences = (p_fake(head, outputs.logits) - p_fake(head, expected.logits)).abs()
    return float(cosines.min()), float(differences.max())


def _too_far(cosine: float, p_difference: float) -> str | None:
    if cosine >= MIN_COSINE and p_difference <= MAX_P_DIFFERENCE:
        return None
    return f"too far from the reference: cosine {cosine:.5f}, p(fake) {p_difference:.4f} off"


def _disagreement(outputs: Outputs, expected: Outputs, precision: str) -> str | None:
    furthest = max(
        float((outputs.cls - expected.cls).abs().max()),
        float((outputs.logits - expected.logits).abs().max()),
    )
    if furthest <= TOLERANCES[precision]:
        return None
    return f"too far from the reference: outputs differ by {furthest:.2g}, allowed is {TOLERANCES[precision]:.2g}"
