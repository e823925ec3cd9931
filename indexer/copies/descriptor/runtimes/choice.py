"""Which runtime serves a copy descriptor: what there is to try, and how near to the reference embeddings must be."""

import logging
from collections.abc import Iterator
from functools import partial
from time import perf_counter

import torch
from torch import Tensor

from indexer.copies.descriptor.golden import MIN_COSINES
from indexer.copies.descriptor.runtimes.eager import EagerRuntime
from indexer.copies.descriptor.runtimes.openvino import OpenVinoRuntime
from indexer.copies.descriptor.runtimes.runtime import EmbeddingRuntime
from indexer.detector.golden import trial_pictures
from indexer.detector.runtimes import Choice, Measured
from indexer.detector.runtimes.trial import MIN_COSINE, Candidate, Judgement, fastest
from indexer.detector.spec import Preprocessing

_log = logging.getLogger(__name__)


def choose(
    reference: EagerRuntime, preprocessing: Preprocessing, runtime: str, precision: str, threads: int
) -> Choice[EmbeddingRuntime]:
    """The fastest runtime that agrees with the reference on the golden pictures and their mirror images.

    Args:
        reference: in fp32 on the CPU.
        runtime, precision, threads: as in the settings; `auto`, or the only one to consider.

    Raises:
        DetectorError: the runtime named does not work here, or does not agree.
    """
    pictures = torch.from_numpy(trial_pictures(preprocessing))
    began = perf_counter()
    expected = reference.infer(pictures)
    eager = Measured("eager", "fp32", len(pictures) / (perf_counter() - began), 1.0, None, None)
    alone = runtime != "auto" and precision != "auto"

    def judge(outputs: Tensor, form: str) -> Judgement:
        cosine = float(torch.cosine_similarity(outputs.double(), expected.double()).min())
        least = MIN_COSINES[form] if alone else MIN_COSINE
        return Judgement(cosine, None, None if cosine >= least else f"too far from the reference: cosine {cosine:.5f}")

    choice = fastest(
        _candidates(reference, preprocessing.crop, precision, threads),
        lambda candidate: candidate.infer(pictures),
        judge,
        eager,
        len(pictures),
        requested=runtime,
        alone=alone,
    )
    taken = choice.taken
    _log.info("the copy descriptor runs on %s", "eager fp32" if taken is None else f"{taken.name} {taken.precision}")
    return choice


def _candidates(
    reference: EagerRuntime, side: int, precision: str, threads: int
) -> Iterator[Candidate[EmbeddingRuntime]]:
    for form in ("fp32", "bf16") if precision == "auto" else (precision,):
        yield Candidate("openvino", form, partial(OpenVinoRuntime.of_torch, reference.model, side, form, threads))
