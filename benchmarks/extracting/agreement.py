"""How far each runtime is from fp32 on real pictures: a part of `benchmarks.extraction`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.reporting.report import Check
from indexer.detector import Detector, load_detector
from indexer.detector.runtimes import Choice, Runtime
from indexer.detector.runtimes.choice import MAX_P_DIFFERENCE
from indexer.detector.runtimes.trial import MIN_COSINE
from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.sources.items import SourceItem

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Agreement:
    """A runtime of a detector against its eager fp32 over `pictures`: the worst and the worst but 1 % of the cosine of
    embeddings and of the difference in p(fake). `in_trial`: the trial at start would take it."""

    detector: str
    runtime: str
    pictures: int
    worst_cosine: float
    p1_cosine: float
    worst_p_difference: float
    p99_p_difference: float
    in_trial: bool

    def figures(self) -> dict[str, float]:
        """For the report, by name."""
        name = f"{self.detector}_{self.runtime}".replace(" ", "_")
        return {
            f"{name}_worst_cosine": self.worst_cosine,
            f"{name}_p1_cosine": self.p1_cosine,
            f"{name}_worst_p_difference": self.worst_p_difference,
            f"{name}_p99_p_difference": self.p99_p_difference,
        }


def runtimes_here(settings: Settings, choice: Choice[Runtime] | None) -> Mapping[str, Detector]:
    """A detector in each runtime that runs on this machine, by runtime and precision, the reference first."""
    measured = () if choice is None else choice.measured
    return {
        f"{measurement.runtime} {measurement.precision}": load_detector(
            settings.model_copy(update={"runtime": measurement.runtime, "precision": measurement.precision})
        )
        for measurement in measured
        if measurement.rate is not None
    }


def agreement(
    settings: Settings,
    choice: Choice[Runtime] | None,
    runtimes: Mapping[str, Detector],
    pictures: Path,
    most: int | None,
) -> list[Agreement]:
    """All `runtimes_here` of the detector in `settings`, whose trial said `choice`, on a folder's, manifest's or
    archive's pictures, evenly `most`."""
    taken = (
        {
            f"{measurement.runtime} {measurement.precision}"
            for measurement in choice.measured
            if measurement.why_not is None
        }
        if choice
        else set()
    )
    here = dict(runtimes)
    reference = here.pop("eager fp32")
    limits = ImageLimits.from_settings(settings)
    items = [item for item in open_source(pictures, limits) if isinstance(item, SourceItem)]
    if most is not None:
        items = items[:: max(1, len(items) // most)][:most]
    cosines: dict[str, list[float]] = {name: [] for name in here}
    differences: dict[str, list[float]] = {name: [] for name in here}
    for start in range(0, len(items), _AT_ONCE):
        pixels = _prepared(reference, items[start : start + _AT_ONCE], limits)
        if pixels is None:
            continue
        expected = reference.run(pixels)
        for name, detector in here.items():
            output = detector.run(pixels)
            wide = output.embeddings.astype(np.float64) * expected.embeddings
            cosines[name] += wide.sum(axis=1).tolist()
            differences[name] += np.abs(output.p_fake - expected.p_fake).tolist()
    return [
        Agreement(
            detector=reference.spec.name.removeprefix("local:"),
            runtime=name,
            pictures=len(cosines[name]),
            worst_cosine=min(cosines[name]),
            p1_cosine=float(np.percentile(cosines[name], 1)),
            worst_p_difference=max(differences[name]),
            p99_p_difference=float(np.percentile(differences[name], 99)),
            in_trial=name in taken,
        )
        for name in here
    ]


def agreement_checks(judged: Sequence[Agreement]) -> list[Check]:
    """One check an aim and runtime that the trial would take; those it refuses are among the figures only."""
    checks = []
    for judgement in judged:
        if not judgement.in_trial:
            continue
        where = f"{judgement.detector} on {judgement.runtime}, {judgement.pictures} pictures"
        cosine, difference = judgement.worst_cosine, judgement.worst_p_difference
        checks.append(Check(f"worst cosine, {where}", cosine, f">= {MIN_COSINE}", cosine >= MIN_COSINE))
        aim = f"<= {MAX_P_DIFFERENCE}"
        checks.append(Check(f"worst p(fake) difference, {where}", difference, aim, difference <= MAX_P_DIFFERENCE))
    return checks


def _prepared(detector: Detector, items: Sequence[SourceItem], limits: ImageLimits) -> np.ndarray | None:
    prepared = []
    for item in items:
        try:
            prepared.append(detector.prepare(decode(item.read(), limits).rgb))
        except ImageRejectedError:
            continue
    return np.stack(prepared) if prepared else None
