"""The copy descriptor in use: pictures in, embeddings of length 1 out."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from indexer.arrays import Floats, Vectors
from indexer.copies.descriptor.golden import DescriptorProof, proof_statement
from indexer.copies.descriptor.registry import ResolvedDescriptor
from indexer.copies.descriptor.runtimes.runtime import EmbeddingRuntime
from indexer.copies.descriptor.spec import DescriptorSpec
from indexer.detector.golden import golden_pictures
from indexer.detector.networks.batches import passes
from indexer.detector.preprocessing import prepare
from indexer.detector.runtimes import Choice, Serving
from indexer.errors import DetectorError, UsageError, WeightsRefusedError


class CopyDescriptor:
    """A proven network with its preprocessing. All methods may be called from several threads.

    Args:
        reference: runs until `serving` has chosen another, and always where there is none.
        device: where `reference` runs.
        batch_size: most pictures of a pass.
    """

    def __init__(
        self,
        resolved: ResolvedDescriptor,
        reference: EmbeddingRuntime,
        device: torch.device,
        batch_size: int,
        serving: Serving[EmbeddingRuntime] | None = None,
    ) -> None:
        self.spec: DescriptorSpec = resolved.spec
        self.fingerprint: str = resolved.fingerprint
        self.dimension: int = resolved.spec.dimension
        self.device: str = device.type
        self._golden = resolved.golden
        self._reference = reference
        self._torch_device = device
        self._batch_size = batch_size
        self._serving = serving

    @property
    def runtime(self) -> str:
        """What runs it now: `eager`, `openvino` or `onnxruntime`."""
        return self._taken.name

    @property
    def precision(self) -> str:
        """The precision of that runtime: `fp32`, `bf16`, `fp16`, or `onnx`, the model's own."""
        return self._taken.precision

    def choose_runtime(self) -> Choice[EmbeddingRuntime] | None:
        """Chooses the runtime now, rather than after the first pictures, which takes seconds; None where the settings
        leave nothing to choose.

        Raises:
            DetectorError: the runtime that the settings name cannot be used.
        """
        return None if self._serving is None else self._serving.choose()

    def prepare(self, rgb: Image.Image) -> Floats:
        """The input for an upright picture of mode RGB: float32 [3, S, S]."""
        return prepare(rgb, self.spec.preprocessing)

    def run(self, batch: Floats) -> Vectors:
        """The embeddings of prepared pictures [N, 3, S, S]: float32 [N, D], of length 1 (of 0 where the network gave
        only zeros); any N, also 0.

        Raises:
            UsageError: the batch is of another shape.
            DetectorError: not even one picture fits, or an output is not finite.
        """
        side = self.spec.preprocessing.crop
        if batch.ndim != 4 or batch.shape[1:] != (3, side, side):
            raise UsageError(f"a batch must have the shape [N, 3, {side}, {side}], not {list(batch.shape)}")
        pictures = torch.from_numpy(np.require(batch, np.float32, "W"))
        name, device, size = self.spec.name, self._torch_device, self._batch_size
        pieces = list(passes(name, pictures, size, self._forward, device, lambda: self.precision))
        outputs = torch.cat(pieces).numpy() if pieces else np.empty((0, self.dimension), np.float32)
        wide = outputs.astype(np.float64)
        lengths = np.linalg.norm(wide, axis=1, keepdims=True)
        unit: Vectors = (wide / np.maximum(lengths, 1e-12)).astype(np.float32)
        return unit

    def prove(self) -> DescriptorProof:
        """Runs the golden pictures and compares with the golden embeddings, if there are any.

        Raises:
            WeightsRefusedError: the network gives something else than embeddings [N, D]; or the golden embeddings are
                of another descriptor, or differ by more than the tolerance of this precision.
        """
        golden = self._golden
        try:
            embeddings = self.golden_run()
        except DetectorError as error:
            raise WeightsRefusedError(f"{self.spec.name} cannot be used: {error}") from None
        if golden is None:
            return DescriptorProof(proof_statement(None, self.spec.sha256 is not None), None)
        if golden.fingerprint != self.fingerprint:
            raise WeightsRefusedError(
                f"the golden embeddings of {self.spec.name} are of other weights or preprocessing: record them again "
                "with `dejafake descriptor verify --write`"
            )
        return golden.compare(self.spec.name, embeddings, self.precision, self.device)

    def golden_run(self) -> Vectors:
        """The embeddings of the golden pictures."""
        return self.run(np.stack([self.prepare(picture) for picture in golden_pictures()]))

    @property
    def _taken(self) -> EmbeddingRuntime:
        taken = None if self._serving is None else self._serving.taken
        return self._reference if taken is None else taken

    def _forward(self, chunk: Tensor) -> Tensor:
        chosen = None if self._serving is None else self._serving.for_pictures(len(chunk))
        output = (chosen or self._reference).infer(chunk)
        if output.shape != (len(chunk), self.dimension):
            raise DetectorError(
                f"{self.spec.name} gives {list(output.shape)} for {len(chunk)} pictures, but its configuration says "
                f"that an embedding has {self.dimension} numbers"
            )
        if not torch.isfinite(output).all():
            raise DetectorError(
                f"{self.spec.name} gave embeddings that are not finite on {self.device} in {self.precision}: set "
                "DEJAFAKE_PRECISION=fp32, and check that prepared inputs are finite"
            )
        return output
