"""From settings to a detector that has proved itself, and the full check of one. Loads torch."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from indexer.detector.detector import Detector, Execution
from indexer.detector.golden import GoldenOutputs, Proof, find_golden
from indexer.detector.model import Network, load_model
from indexer.detector.registry import SPECS, ResolvedDetector, resolve
from indexer.detector.runtime import DTYPES, choose_device, choose_precision
from indexer.detector.spec import DetectorSpec, fingerprint
from indexer.detector.weights import digest
from indexer.errors import DetectorError, WeightsRefusedError
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.threads import limit_torch
from indexer.vocabulary import Progress

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verification:
    """A detector that passed every check. `checks` are for a person; `golden` is the file written, if one was."""

    spec: DetectorSpec
    fingerprint: str
    device: str
    precision: str
    checks: tuple[str, ...]
    proof: Proof
    golden: Path | None


def load_detector(
    settings: Settings, name: str | None = None, *, prove: bool = True, progress: Progress | None = None
) -> Detector:
    """The detector `name` (a registry name or a folder; None: `settings.detector`), ready to run.

    Every load hashes the weights, compares keys and shapes, and, unless `prove` is false, runs the golden outputs. A
    registry detector without any has them recorded beside its weights at its first load, in fp32 on the CPU, where
    digest and shapes vouch for it: they show a later change of library, device or precision, not a wrong first load.

    Raises:
        NotFoundError, WeightsUnavailableError, WeightsRefusedError: as `registry.resolve`.
        DetectorError: the device is not on this machine, or the runtime that the settings name cannot be used on it.
    """
    limit_torch(settings.threads)
    resolved = resolve(name or settings.detector, settings, progress=progress)
    device = choose_device(settings.device)
    if prove and resolved.golden is None and resolved.spec.name in SPECS:
        resolved = _recorded_if_writable(resolved, settings)
    detector = _serving_detector(resolved, settings, device)
    if prove:
        detector.prove()
    if settings.runtime != "auto":
        detector.choose_runtime()
    return detector


def verify(settings: Settings, name: str | None = None, *, write: bool = False) -> Verification:
    """Checks a detector from its bytes to its outputs; with `write`, records its golden outputs first.

    Raises:
        WeightsRefusedError, WeightsUnavailableError, NotFoundError, DetectorError: what is wrong with it.
    """
    limit_torch(settings.threads)
    resolved = resolve(name or settings.detector, settings, allow_download=False)
    written = write_golden(resolved, settings) if write else None
    resolved = _with_golden(resolved)
    device = choose_device(settings.device)
    detector = _serving_detector(resolved, settings, device)
    if settings.runtime != "auto":
        detector.choose_runtime()
    proof = detector.prove()
    pinned = resolved.spec.sha256 is not None
    checks = (
        "SHA-256 of the weights is the pinned one" if pinned else "SHA-256 of the weights is pinned by nobody",
        "every tensor is there, has its shape and is finite; there are no others",
        f"proved: {proof.statement}",
    )
    return Verification(
        resolved.spec, resolved.fingerprint, detector.device, detector.precision, checks, proof, written
    )


def write_golden(resolved: ResolvedDetector, settings: Settings) -> Path:
    """Records the golden outputs of a detector, computed in fp32 on the CPU, as `golden.json` beside its weights.

    Raises:
        DetectorError: the folder cannot be written, or golden outputs ship with dejafake and are not replaced.
    """
    if resolved.golden is not None and resolved.golden.origin == "shipped with dejafake":
        raise DetectorError(f"the golden outputs of {resolved.spec.name} ship with dejafake and are not recorded again")
    output = _detector(resolved, settings, "cpu", "fp32").golden_run()
    return GoldenOutputs.of(resolved.fingerprint, output.logits, output.cls).write(resolved.folder)


def _recorded_if_writable(resolved: ResolvedDetector, settings: Settings) -> ResolvedDetector:
    try:
        write_golden(resolved, settings)
    except DetectorError as error:
        _log.warning("%s runs without golden outputs: %s", resolved.spec.name, error)
    return _with_golden(resolved)


def _with_golden(resolved: ResolvedDetector) -> ResolvedDetector:
    return replace(resolved, golden=find_golden(resolved.folder))


def _serving_detector(resolved: ResolvedDetector, settings: Settings, device: torch.device) -> Detector:
    """A detector as the settings want it. Where a runtime is named, the eager network stays the fp32 reference; nothing
    is tried where a precision is set and no runtime is."""
    named = settings.runtime not in ("auto", "eager")
    if named and device.type != "cpu":
        raise DetectorError(f"runtime {settings.runtime} runs on the CPU only: set DEJAFAKE_DEVICE=cpu")
    tried = device.type == "cpu" and (named or (settings.runtime == "auto" and settings.precision == "auto"))
    return _detector(
        resolved,
        settings,
        device.type,
        "fp32" if named else choose_precision(settings.precision, device),
        runtime=settings.runtime if tried else "eager",
    )


def _detector(
    resolved: ResolvedDetector, settings: Settings, device_name: str, precision: str, *, runtime: str = "eager"
) -> Detector:
    device = torch.device(device_name)
    model = load_model(resolved.checkpoint)
    _check_unchanged(resolved)
    return Detector(
        resolved,
        Network(model, device, DTYPES[precision]),
        Execution(device, precision, settings.batch_size, runtime, settings.precision, settings.threads),
        ImageLimits.from_settings(settings),
    )


def _check_unchanged(resolved: ResolvedDetector) -> None:
    """Refuses a detector whose weights, read just now, are not those that its fingerprint was made of.

    Raises:
        WeightsRefusedError: they were changed in between.
    """
    spec = resolved.spec
    actual = fingerprint(digest(resolved.checkpoint.weights), spec.architecture, spec.preprocessing, spec.head)
    if actual != resolved.fingerprint:
        raise WeightsRefusedError(
            f"{resolved.checkpoint.weights} was changed while it was read: start again when it is whole"
        )
