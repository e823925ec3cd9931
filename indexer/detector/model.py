"""The network: timm's `VisionTransformer` filled from a checkpoint, and one forward pass observed through hooks."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from indexer.detector.checkpoint import Checkpoint
from indexer.detector.networks.tensors import fill
from indexer.detector.rollout import attention_layers, attention_rollout, head_sums_of
from indexer.detector.spec import IMAGE_SIZE, PATCH_SIZE
from indexer.detector.stem import patch_embedding
from indexer.vocabulary import EMBEDDING_SIZE


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to keep of a forward pass besides logits and CLS."""

    patches: bool = False
    attention: bool = False
    rollout: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """One forward pass, float32 on the CPU. `logits` [N, C]; `cls` [N, 384] after the final LayerNorm; only when wanted
    `patches` [N, 576, 384], `attention`, a tensor [N, heads, 577, 577] a block, and `rollout` [N, 24, 24]."""

    logits: Tensor
    cls: Tensor
    patches: Tensor | None
    attention: tuple[Tensor, ...] | None
    rollout: Tensor | None


class Network:
    """A loaded model in one precision on one device. Forward passes of several threads run one after another, for hooks
    see every pass through the model they hang on.

    The weights stay fp32. In a lower precision torch's autocast casts what goes into products and convolutions, and
    leaves LayerNorms, softmax and the residual stream in fp32: as fast, and several times nearer to fp32.
    """

    def __init__(self, model: VisionTransformer, device: torch.device, dtype: torch.dtype) -> None:
        layout = torch.channels_last if device.type == "cuda" else torch.contiguous_format
        self._model: VisionTransformer = model.to(device).to(memory_format=layout).eval().requires_grad_(False)
        self._device = device
        self._layout = layout
        self._precision = torch.autocast(device.type, dtype, enabled=dtype is not torch.float32)
        self._heads = attention_layers(model)[0].num_heads
        self._lock = threading.Lock()

    @property
    def model(self) -> VisionTransformer:
        """The model itself, in fp32, to make runtimes of."""
        return self._model

    def observe(self, batch: Tensor, requested: Wanted) -> Observation:
        """One forward pass of `batch` [N, 3, 384, 384]."""
        with self._lock, torch.inference_mode(), ExitStack() as hooks:
            tokens = hooks.enter_context(_tokens_of(self._model.norm, with_patches=requested.patches))
            maps = sums = None
            if requested.attention:
                maps = hooks.enter_context(_attention_of(self._model))
            elif requested.rollout:
                sums = hooks.enter_context(head_sums_of(self._model))
            with self._precision:
                logits = self._model(self._moved(batch))
            final = _to_cpu(tokens[0])
            if maps is not None and requested.rollout:
                sums = [per_head.sum(dim=1) for per_head in maps]
            return Observation(
                logits=_to_cpu(logits),
                cls=final[:, 0],
                patches=final[:, 1:] if requested.patches else None,
                attention=None if maps is None else tuple(maps),
                rollout=None if sums is None else _to_cpu(attention_rollout(sums, self._heads)),
            )

    def _moved(self, batch: Tensor) -> Tensor:
        """The batch on the device, in float32. Memory that is pinned reaches a GPU at full speed."""
        if self._device.type == "cuda" and batch.device.type == "cpu":
            batch = batch.pin_memory()
        return batch.to(self._device, torch.float32, non_blocking=True, memory_format=self._layout)


def load_model(checkpoint: Checkpoint) -> VisionTransformer:
    """The model of a checkpoint in float32 on the CPU.

    Raises:
        WeightsRefusedError: keys or shapes differ from the configuration, the file cannot be read, or holds numbers
            that are not finite.
    """
    checkpoint.check_shapes()
    architecture = checkpoint.architecture
    with torch.device("meta"):
        model = VisionTransformer(
            img_size=IMAGE_SIZE,
            patch_size=PATCH_SIZE,
            embed_dim=EMBEDDING_SIZE,
            depth=architecture.depth,
            num_heads=architecture.heads,
            mlp_ratio=architecture.mlp_width / EMBEDDING_SIZE,
            qkv_bias=architecture.qkv_bias,
            num_classes=len(checkpoint.head.classes),
            norm_layer=_layer_norm(architecture.layer_norm_eps),
            embed_layer=patch_embedding(architecture.conv_stem),
        )
    fill(model, checkpoint.weights, checkpoint.keys)
    return model


def _layer_norm(eps: float) -> type[nn.LayerNorm]:
    class LayerNorm(nn.LayerNorm):
        def __init__(self, width: int, **options: object) -> None:
            super().__init__(width, eps=eps)

    return LayerNorm


@contextmanager
def _tokens_of(norm: nn.Module, *, with_patches: bool) -> Iterator[list[Tensor]]:
    """Keeps what leaves the final LayerNorm: [N, 577, 384], or only its CLS token, [N, 1, 384]."""
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        seen.append(output if with_patches else output[:, :1].clone())

    handle = norm.register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def _attention_of(model: VisionTransformer) -> Iterator[list[Tensor]]:
    """Keeps the attention maps of every block.

    torch's fused attention never forms them, so meanwhile the blocks compute it in steps, and what passes through the
    (idle) dropout on the attention is what we want.
    """
    seen: list[Tensor] = []
    layers = attention_layers(model)
    fused = [layer.fused_attn for layer in layers]

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        seen.append(_to_cpu(output))

    with ExitStack() as undo:
        for layer, was_fused in zip(layers, fused, strict=True):
            undo.callback(setattr, layer, "fused_attn", was_fused)
            setattr(layer, "fused_attn", False)  # noqa: B010  # timm calls it final for the sake of scripting
            undo.callback(layer.attn_drop.register_forward_hook(keep).remove)
        yield seen


def _to_cpu(tensor: Tensor) -> Tensor:
    return tensor.detach().to(device="cpu", dtype=torch.float32)
