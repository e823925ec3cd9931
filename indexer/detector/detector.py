"""The detector in use: from pictures to logits, p(fake) and embeddings in one forward pass."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image

from indexer.arrays import Floats
from indexer.detector.golden import Proof, golden_pictures, trial_pictures
from indexer.detector.model import Network, Observation, Wanted
from indexer.detector.networks.batches import passes
from indexer.detector.preprocessing import prepare
from indexer.detector.registry import ResolvedDetector
from indexer.detector.runtimes import Choice, Outputs, Runtime, Serving, choose
from indexer.detector.runtimes.choice import p_fake
from indexer.detector.spec import GRID, IMAGE_SIZE, PATCHES, DetectorSpec
from indexer.errors import DetectorError, ImageRejectedError, UsageError, WeightsRefusedError
from indexer.imaging.decoding import decode, read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.vocabulary import EMBEDDING_SIZE

Input: TypeAlias = Path | str | bytes | Image.Image | torch.Tensor

_SHAPE = (3, IMAGE_SIZE, IMAGE_SIZE)


@dataclass(frozen=True, slots=True)
class DetectorOutput:
    """A detector's outputs for N pictures, in order; all float32.

    `logits` [N, C]; `p_fake` [N] in [0, 1], meaningless when the spec says `trained: False`; `cls` [N, 384] as it
    leaves the final LayerNorm; `embeddings` [N, 384], the same L2-normalised; on request `patches` [N, 576, 384],
    `attention`, an array [N, heads, 577, 577] a block (8 MB a picture and block of six heads), and `rollout`
    [N, 24, 24], the share of each patch in the CLS token, which sums to 1 over a picture (see `rollout`).
    """

    logits: Floats
    p_fake: Floats
    cls: Floats
    embeddings: Floats
    patches: Floats | None
    attention: tuple[Floats, ...] | None
    rollout: Floats | None


@dataclass(frozen=True, slots=True)
class Execution:
    """How a detector runs: device, precision and batch size of its eager network, and the runtime that replaces it.
    `runtime`, `runtime_precision` and `threads` are as in the settings."""

    device: torch.device
    precision: str
    batch_size: int
    runtime: str = "eager"
    runtime_precision: str = "auto"
    threads: int = 0


class Detector:
    """A verified model with its preprocessing and head. All methods may be called from several threads.

    A chosen runtime gives logits and CLS when nothing else is asked for; everything else comes from the eager network.
    """

    def __init__(
        self,
        resolved: ResolvedDetector,
        network: Network,
        execution: Execution,
        limits: ImageLimits,
    ) -> None:
        self.spec: DetectorSpec = resolved.spec
        self.fingerprint: str = resolved.fingerprint
        self.device: str = execution.device.type
        self._eager_precision = execution.precision
        self._golden = resolved.golden
        self._network = network
        self._torch_device = execution.device
        self._batch_size = execution.batch_size
        self._limits = limits
        self._serving: Serving[Runtime] | None = None
        if execution.runtime != "eager":
            chosen = execution.runtime, execution.runtime_precision, execution.threads
            self._serving = Serving(partial(self._try_runtimes, *chosen))

    @property
    def runtime(self) -> str:
        """The runtime that gives logits and CLS now: `eager`, `onednn` or `openvino`."""
        taken = None if self._serving is None else self._serving.taken
        return "eager" if taken is None else taken.name

    @property
    def precision(self) -> str:
        """The precision of that runtime: `fp32`, `bf16` or `fp16`."""
        taken = None if self._serving is None else self._serving.taken
        return self._eager_precision if taken is None else taken.precision

    def choose_runtime(self) -> Choice[Runtime] | None:
        """Chooses the runtime now, rather than after the first pictures, which takes seconds; None where the settings
        leave nothing to choose.

        Raises:
            DetectorError: the runtime that the settings name cannot be used.
        """
        return None if self._serving is None else self._serving.choose()

    def prepare(self, rgb: Image.Image) -> Floats:
        """The input for an upright picture of mode RGB: float32 [3, 384, 384]."""
        return prepare(rgb, self.spec.preprocessing)

    def run(
        self,
        batch: Floats | torch.Tensor,
        *,
        patches: bool = False,
        attention: bool = False,
        rollout: bool = False,
    ) -> DetectorOutput:
        """The outputs for prepared pictures [N, 3, 384, 384]; any N, also 0.

        Works in batches of `settings.batch_size`, and in halves of those when the device runs out of memory. Asking for
        more does not change logits and CLS but for rounding in the precision in use.

        Raises:
            UsageError: the batch is of another shape.
            DetectorError: not even one picture fits, or an output is not finite.
        """
        tensor = torch.from_numpy(np.require(batch, np.float32, "W")) if isinstance(batch, np.ndarray) else batch
        if tensor.ndim != 4 or tuple(tensor.shape[1:]) != _SHAPE:
            raise UsageError(f"a batch must have the shape [N, 3, 384, 384], not {list(tensor.shape)}")
        requested = Wanted(patches, attention, rollout)
        return self._collect(list(self._observations(tensor, requested)), requested)

    def detect(
        self, inputs: Iterable[Input], *, patches: bool = False, attention: bool = False, rollout: bool = False
    ) -> DetectorOutput:
        """The outputs for pictures given as paths, encoded bytes, PIL pictures, or prepared tensors [3, 384, 384] or
        [N, 3, 384, 384]. Only one batch of pictures is held decoded at a time.

        Raises:
            ImageRejectedError: an input is no picture we accept; the message says which.
        """
        requested = Wanted(patches, attention, rollout)
        prepared = self._prepared(inputs)
        pieces: list[Observation] = []
        while chunk := list(islice(prepared, self._batch_size)):
            pieces += self._observations(torch.stack(chunk), requested)
        return self._collect(pieces, requested)

    def prove(self) -> Proof:
        """Runs the golden pictures through preprocessing and model and compares with the detector's golden outputs.

        Raises:
            WeightsRefusedError: they are of another detector, or differ by more than the tolerance of this precision.
        """
        golden = self._golden
        if golden is None:
            return Proof.without_golden(self.spec.sha256 is not None)
        if golden.fingerprint != self.fingerprint:
            raise WeightsRefusedError(
                f"the golden outputs of {self.spec.name} are of other weights, preprocessing or head: "
                "record them again with `dejafake detector verify --write`"
            )
        output = self.golden_run()
        return golden.compare(self.spec.name, output.logits, output.cls, self.precision, self.device)

    def golden_run(self) -> DetectorOutput:
        """The outputs for the golden pictures."""
        return self.run(np.stack([self.prepare(picture) for picture in golden_pictures()]))

    def _try_runtimes(self, runtime: str, precision: str, threads: int) -> Choice[Runtime]:
        def reference(batch: torch.Tensor) -> Outputs:
            seen = self._network.observe(batch, Wanted())
            return Outputs(seen.logits, seen.cls)

        return choose(
            self._network.model,
            self.spec.head,
            torch.from_numpy(trial_pictures(self.spec.preprocessing)),
            runtime=runtime,
            precision=precision,
            batch_size=self._batch_size,
            threads=threads,
            reference=reference,
        )

    def _prepared(self, inputs: Iterable[Input]) -> Iterator[torch.Tensor]:
        for number, item in enumerate(inputs, start=1):
            if isinstance(item, torch.Tensor):
                batch = item.unsqueeze(0) if item.ndim == 3 else item
                if batch.ndim != 4 or tuple(batch.shape[1:]) != _SHAPE:
                    raise UsageError(f"input {number} must have the shape [N, 3, 384, 384], not {list(item.shape)}")
                yield from batch.to(device="cpu", dtype=torch.float32)
            else:
                yield torch.from_numpy(self.prepare(self._picture(item, number)))

    def _picture(self, item: Path | str | bytes | Image.Image, number: int) -> Image.Image:
        if isinstance(item, Image.Image):
            return item
        try:
            data = item if isinstance(item, bytes) else read_bytes(Path(item), self._limits)
            return decode(data, self._limits).rgb
        except ImageRejectedError as error:
            raise ImageRejectedError(error.reason, f"input {number}: {error}") from None

    def _observations(self, batch: torch.Tensor, requested: Wanted) -> Iterator[Observation]:
        forward = partial(self._observe, requested=requested)
        name, device = self.spec.name, self._torch_device
        return passes(name, batch, self._batch_size, forward, device, lambda: self.precision)

    def _observe(self, chunk: torch.Tensor, requested: Wanted) -> Observation:
        observation = self._pass(chunk, requested)
        if not (torch.isfinite(observation.logits).all() and torch.isfinite(observation.cls).all()):
            raise DetectorError(
                f"{self.spec.name} gave outputs that are not finite on {self.device} in {self.precision}: "
                "set DEJAFAKE_PRECISION=fp32, and check that prepared inputs are finite"
            )
        return observation

    def _pass(self, chunk: torch.Tensor, requested: Wanted) -> Observation:
        runtime = None
        if self._serving is not None and requested == Wanted():
            runtime = self._serving.for_pictures(len(chunk))
        if runtime is None:
            return self._network.observe(chunk, requested)
        outputs = runtime.infer(chunk)
        return Observation(outputs.logits, outputs.cls, None, None, None)

    def _collect(self, pieces: Sequence[Observation], requested: Wanted) -> DetectorOutput:
        spec, tokens = self.spec, PATCHES + 1
        heads = spec.architecture.heads
        logits = _joined([piece.logits for piece in pieces], len(spec.head.classes))
        cls = _joined([piece.cls for piece in pieces], EMBEDDING_SIZE)
        maps = [piece.attention for piece in pieces if piece.attention is not None]
        return DetectorOutput(
            logits=logits,
            p_fake=self._p_fake(logits),
            cls=cls,
            embeddings=_normalised(cls),
            patches=_joined([p.patches for p in pieces if p.patches is not None], PATCHES, EMBEDDING_SIZE)
            if requested.patches
            else None,
            attention=tuple(
                _joined([per_block[block] for per_block in maps], heads, tokens, tokens)
                for block in range(spec.architecture.depth)
            )
            if requested.attention
            else None,
            rollout=_joined([p.rollout for p in pieces if p.rollout is not None], GRID, GRID)
            if requested.rollout
            else None,
        )

    def _p_fake(self, logits: Floats) -> Floats:
        result: Floats = p_fake(self.spec.head, torch.from_numpy(logits)).float().numpy()
        return result


def _joined(parts: Sequence[torch.Tensor], *shape: int) -> Floats:
    """The parts as one array; of `shape` and length 0 when there are none."""
    joined: Floats = torch.cat([torch.empty(0, *shape), *parts]).numpy() if len(parts) != 1 else parts[0].numpy()
    return joined


def _normalised(cls: Floats) -> Floats:
    wide = cls.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: Floats = (wide / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
