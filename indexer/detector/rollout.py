"""Attention rollout: how much of each patch reached the CLS token, by way of all blocks.

"Quantifying Attention Flow in Transformers" (Abnar & Zuidema, ACL 2020, arXiv 2005.00928): every block passes on half
of what a token was and half of what its heads, on average, attended to. What is wanted is the CLS token's row of the
product of the blocks' matrices, so a row vector goes through them from the last block to the first, and no two of the
577 x 577 matrices are ever multiplied.

While the maps are watched, the blocks compute attention in steps: the scores of one picture are turned into weights,
averaged over the heads, and used, before the next picture's overwrite them. That costs less than computing them a
second time beside torch's fused attention, which never forms them.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from timm.layers.attention import Attention
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor
from torch.nn import functional

from indexer.detector.spec import GRID, PATCHES


def attention_rollout(head_means: Sequence[Tensor]) -> Tensor:
    """The rollout [N, 24, 24] of attention maps averaged over the heads, [N, 577, 577] a block in the blocks' order;
    the last block's may be its first row only, [N, 1, 577].

    Each picture's numbers sum to 1; they are all equal when nothing of any patch reached the CLS token.
    """
    last = head_means[-1][:, 0]
    row = last / 2
    row[:, 0] += 0.5
    for means in reversed(head_means[:-1]):
        row = torch.baddbmm(row[:, None], row[:, None], means, beta=0.5, alpha=0.5)[:, 0]
    patches = row[:, 1:]
    total = patches.sum(dim=1, keepdim=True)
    shares = torch.where(total > 0, patches / total, 1 / PATCHES)
    return shares.reshape(-1, GRID, GRID)


@contextmanager
def head_means_of(model: VisionTransformer) -> Iterator[list[Tensor]]:
    """Keeps what `attention_rollout` needs of the forward pass inside: float32, on the model's device, 1.3 MB a picture
    and block. What the model computes stays the same but for rounding."""
    seen: list[Tensor] = []
    layers = [module for module in model.blocks.modules() if isinstance(module, Attention)]
    with ExitStack() as undo:
        for layer in layers:
            watch = _ClsRow(layer, seen) if layer is layers[-1] else _HeadMeans(layer, seen)
            setattr(layer, "forward", watch)  # noqa: B010  # shadows the method until it is deleted again
            undo.callback(delattr, layer, "forward")
        yield seen


class _HeadMeans:
    """timm's attention in steps, one picture after the other so that the scores stay in the processor's cache."""

    def __init__(self, layer: Attention, seen: list[Tensor]) -> None:
        self._layer, self._seen = layer, seen

    def __call__(self, tokens: Tensor, *_masks: object, **_no_masks: object) -> Tensor:
        layer = self._layer
        count, length, width = tokens.shape
        heads = layer.num_heads
        q, k, v = layer.qkv(tokens).reshape(count, length, 3, heads, layer.head_dim).permute(2, 0, 3, 1, 4).contiguous()
        q *= layer.scale
        scores = q.new_empty(heads, length, length)
        weights = torch.empty_like(scores)
        means = q.new_empty(count, length, length, dtype=torch.float32)
        values = torch.empty_like(q)
        for picture in range(count):
            torch.bmm(q[picture], k[picture].transpose(1, 2), out=scores)
            torch.softmax(scores, dim=-1, out=weights)
            torch.sum(weights, dim=0, dtype=torch.float32, out=means[picture])
            torch.bmm(weights, v[picture], out=values[picture])
        self._seen.append(means.div_(heads))
        return layer.proj(values.transpose(1, 2).reshape(count, length, width))


class _ClsRow:
    """timm's fused attention, and beside it the one row of the last block that the rollout starts from."""

    def __init__(self, layer: Attention, seen: list[Tensor]) -> None:
        self._layer, self._seen = layer, seen

    def __call__(self, tokens: Tensor, *_masks: object, **_no_masks: object) -> Tensor:
        layer = self._layer
        count, length, width = tokens.shape
        q, k, v = (
            layer.qkv(tokens)
            .reshape(count, length, 3, layer.num_heads, layer.head_dim)
            .permute(2, 0, 3, 1, 4)
            .unbind(0)
        )
        row = (q[:, :, :1] * layer.scale) @ k.transpose(-2, -1)
        self._seen.append(torch.softmax(row, dim=-1, dtype=torch.float32).mean(dim=1))
        values = functional.scaled_dot_product_attention(q, k, v)
        return layer.proj(values.transpose(1, 2).reshape(count, length, width))
