"""From settings to a copy descriptor that has proved itself, and the full check of one. Loads torch."""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from indexer.copies.descriptor.copy_descriptor import CopyDescriptor
from indexer.copies.descriptor.description import CONFIG_FILE
from indexer.copies.descriptor.golden import DescriptorProof, GoldenEmbeddings, golden_file
from indexer.copies.descriptor.network import ARCHITECTURE, CopyNetwork, NetworkShape
from indexer.copies.descriptor.registry import ResolvedDescriptor, resolve_descriptor
from indexer.copies.descriptor.runtimes.choice import choose
from indexer.copies.descriptor.runtimes.eager import EagerRuntime
from indexer.copies.descriptor.runtimes.onnx import onnx_runtime
from indexer.copies.descriptor.runtimes.runtime import EmbeddingRuntime
from indexer.copies.descriptor.spec import DescriptorSpec
from indexer.detector.networks.tensors import fill
from indexer.detector.runtime import DTYPES, choose_device, choose_precision
from indexer.detector.runtimes import Serving
from indexer.detector.weights import check_shapes, digest
from indexer.errors import DetectorError, UsageError, WeightsRefusedError
from indexer.settings import Settings
from indexer.threads import limit_torch

_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class DescriptorVerification:
    """A descriptor that passed every check. `checks` are for a person; `golden` is the file written, if one was."""

    spec: DescriptorSpec
    fingerprint: str
    device: str
    runtime: str
    precision: str
    checks: tuple[str, ...]
    proof: DescriptorProof
    golden: Path | None


def load_descriptor(settings: Settings, resolved: ResolvedDescriptor) -> CopyDescriptor:
    """The descriptor, ready to run: hashed again, keys and shapes compared, run on the golden pictures and compared
    with its golden embeddings, where it has some.

    Raises:
        WeightsRefusedError: what is wrong with its files.
        DetectorError: the device is not on this machine, or the runtime that the settings name cannot be used.
    """
    limit_torch(settings.threads)
    descriptor = _serving_descriptor(resolved, settings)
    descriptor.prove()
    return descriptor


def verify_descriptor(settings: Settings, name: str | None = None, *, write: bool = False) -> DescriptorVerification:
    """Checks the descriptor `name` (None: that of the settings) from its bytes to its embeddings; with `write`, records
    its golden embeddings first.

    Raises:
        UsageError: the settings turn it off.
        NotFoundError, DetectorError: what is wrong with it.
    """
    chosen = name or settings.copy_descriptor
    resolved = resolve_descriptor(chosen)
    if resolved is None:
        raise UsageError("DEJAFAKE_COPY_DESCRIPTOR is off: name the copy descriptor to verify")
    written = None
    if write:
        written = write_golden(resolved, settings)
        resolved = resolve_descriptor(chosen) or resolved
    limit_torch(settings.threads)
    descriptor = _serving_descriptor(resolved, settings)
    proof = descriptor.prove()
    background = resolved.background()
    spec = resolved.spec
    checks = [
        f"SHA-256 of the weights is {'the one its configuration names' if spec.sha256 else 'named by nobody'}",
        f"embeddings have {spec.dimension} numbers and are finite",
        f"proved: {proof.statement}",
        "no background: its cosines claim nothing alone"
        if background is None
        else f"background of {len(background.vectors):,} embeddings, the nearest {background.nearest} count",
    ]
    if spec.onnx is None:
        checks.insert(1, "every tensor is there, has its shape and is finite; there are no others")
    where = descriptor.device, descriptor.runtime, descriptor.precision
    return DescriptorVerification(spec, descriptor.fingerprint, *where, tuple(checks), proof, written)


def write_golden(resolved: ResolvedDescriptor, settings: Settings) -> Path:
    """Records the golden embeddings of a descriptor, computed in fp32 on the CPU, beside its configuration.

    Raises:
        DetectorError: the file cannot be written, or golden embeddings ship with dejafake and are not replaced.
    """
    if resolved.golden is not None and resolved.golden.shipped:
        raise DetectorError(
            f"the golden embeddings of {resolved.spec.name} ship with dejafake and are not recorded again"
        )
    reference = _reference(resolved, settings, _CPU, "fp32")
    descriptor = CopyDescriptor(resolved, reference, _CPU, settings.batch_size)
    path = golden_file(resolved.config)
    GoldenEmbeddings.of(resolved.fingerprint, descriptor.golden_run()).write(path)
    return path


def _serving_descriptor(resolved: ResolvedDescriptor, settings: Settings) -> CopyDescriptor:
    """A descriptor as the settings want it. ONNX models run on the CPU; a torch network goes where the detector goes,
    and stays eager where the runtime named is one that only a detector has."""
    if resolved.spec.onnx is not None:
        reference = _reference(resolved, settings, _CPU, "fp32")
        return CopyDescriptor(resolved, reference, _CPU, settings.batch_size)
    device = choose_device(settings.device)
    named = settings.runtime == "openvino"
    tried = device.type == "cpu" and (named or (settings.runtime == "auto" and settings.precision == "auto"))
    precision = "fp32" if named else choose_precision(settings.precision, device)
    eager = _eager(resolved, device, precision)
    serving: Serving[EmbeddingRuntime] | None = None
    descriptor = CopyDescriptor(resolved, eager, device, settings.batch_size)
    if tried:
        options = settings.runtime, settings.precision, settings.threads
        serving = Serving(partial(choose, eager, resolved.spec.preprocessing, *options))
        descriptor = CopyDescriptor(resolved, eager, device, settings.batch_size, serving)
        if named:
            descriptor.choose_runtime()
    return descriptor


def _reference(
    resolved: ResolvedDescriptor, settings: Settings, device: torch.device, precision: str
) -> EmbeddingRuntime:
    if resolved.spec.onnx is None:
        return _eager(resolved, device, precision)
    try:
        data = resolved.weights.read_bytes()
    except OSError as error:
        raise WeightsRefusedError(f"{resolved.weights} cannot be read: {error.strerror}") from None
    _check_unchanged(resolved, hashlib.sha256(data).hexdigest())
    return onnx_runtime(resolved.weights, data, resolved.spec.onnx, settings.runtime, settings.threads)


def _eager(resolved: ResolvedDescriptor, device: torch.device, precision: str) -> EagerRuntime:
    spec, weights = resolved.spec, resolved.weights
    if spec.architecture["name"] != ARCHITECTURE:
        raise WeightsRefusedError(
            f'{CONFIG_FILE} of {spec.name}: the architecture is called "{str(spec.architecture["name"])[:60]}", but '
            f'only "{ARCHITECTURE}" is known; save another network as an ONNX model'
        )
    try:
        shape = NetworkShape.from_dict({**spec.architecture, "dimension": spec.dimension})
    except ValueError as error:
        raise WeightsRefusedError(f"{CONFIG_FILE} of {spec.name}: {error}") from None
    with torch.device("meta"):
        model = CopyNetwork(shape)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    keys = {name: (name,) for name in shapes}
    check_shapes(weights, shapes, keys)
    fill(model, weights, keys)
    _check_unchanged(resolved, digest(weights))
    return EagerRuntime(model, device, precision, DTYPES[precision])


def _check_unchanged(resolved: ResolvedDescriptor, weights_sha256: str) -> None:
    """Refuses weights, read just now, that are not those that the fingerprint was made of."""
    if weights_sha256 != resolved.weights_sha256:
        raise WeightsRefusedError(f"{resolved.weights} was changed while it was read: start again when it is whole")
