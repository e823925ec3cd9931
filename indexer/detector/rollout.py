"""Attention rollout: how much of each patch reached the CLS token, by way of all blocks.

"Quantifying Attention Flow in Transformers" (Abnar & Zuidema, ACL 2020, arXiv 2005.00928): every block passes on half
of what a token was and half of what its heads, on average, attended to. What is wanted is the CLS token's row of the
product of the blocks' matrices, so a row vector goes through them from the last block to the first, and no two of the
577 x 577 matrices are ever multiplied.

While the maps are watched, the blocks compute attention in steps: the scores of one picture are turned into weights,
added up over the heads, and used, before the next picture's overwrite them. That costs less than computing them a
second time beside torch's fused attention, which never forms them.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from timm.layers.attention import Attention
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor
from torch.nn import functional

from indexer.detector.spec import GRID, PATCHES


def attention_rollout(head_sums: Sequence[Tensor], heads: int) -> Tensor:
    """The rollout [N, 24, 24], float32, of attention maps summed over the heads, [N, 577, 577] a block in the blocks'
    order; the last block's may be its first row only, [N, 1, 577].

    Each picture's numbers sum to 1; they are all equal when nothing of any patch reached the CLS token.
    """
    row = head_sums[-1][:, 0].float() / (2 * heads)
    row[:, 0] += 0.5
    for sums in reversed(head_sums[:-1]):
        row = torch.baddbmm(row[:, None], row[:, None], sums.float(), beta=0.5, alpha=0.5 / heads)[:, 0]
    patches = row[:, 1:]
    total = patches.sum(dim=1, keepdim=True)
    shares = torch.where(total > 0, patches / total, 1 / PATCHES)
    return shares.reshape(-1, GRID, GRID)


def attention_layers(model: VisionTransformer) -> list[Attention]:
    """The attention of each block, in the blocks' order."""
    return [module for module in model.blocks.modules() if isinstance(module, Attention)]


@contextmanager
def head_sums_of(model: VisionTransformer) -> Iterator[list[Tensor]]:
    """Keeps what `attention_rollout` needs of the forward pass inside, in the model's precision on its device: 1.3 MB a
    picture and block in fp32. What the model computes stays the same but for rounding."""
    watch, layers = _Watch(), attention_layers(model)
    with ExitStack() as undo:
        for layer in layers:
            forward = watch.cls_row if layer is layers[-1] else watch.head_sums
            setattr(layer, "forward", partial(forward, layer))  # noqa: B010  # shadows the method until deleted again
            undo.callback(delattr, layer, "forward")
        yield watch.seen


class _Watch:
    """What takes the place of the attention layers' `forward` for one pass."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []
        self._scratch: Tensor | None = None

    def head_sums(self, layer: Attention, tokens: Tensor, *_masks: object, **_no_masks: object) -> Tensor:
        """timm's attention in steps, one picture after the other."""
        q, k, v = _queries_keys_values(layer, tokens).contiguous()
        q *= layer.scale
        count, heads, length, _ = q.shape
        scores, weights = self._two_of(q, (heads, length, length))
        sums = q.new_empty(count, length, length)
        values = torch.empty_like(q)
        for picture in range(count):
            torch.bmm(q[picture], k[picture].transpose(1, 2), out=scores)
            torch.softmax(scores, dim=-1, out=weights)
            sums[picture] = weights[0]
            for head in weights[1:]:
                sums[picture] += head
            torch.bmm(weights, v[picture], out=values[picture])
        self.seen.append(sums)
        return _projected(layer, values)

    def cls_row(self, layer: Attention, tokens: Tensor, *_masks: object, **_no_masks: object) -> Tensor:
        """timm's fused attention, and beside it the one row of the last block that the rollout starts from."""
        q, k, v = _queries_keys_values(layer, tokens)
        row = (q[:, :, :1] * layer.scale) @ k.transpose(-2, -1)
        self.seen.append(torch.softmax(row, dim=-1, dtype=torch.float32).sum(dim=1))
        return _projected(layer, functional.scaled_dot_product_attention(q, k, v))

    def _two_of(self, like: Tensor, shape: tuple[int, int, int]) -> Tensor:
        """Two tensors of `shape` for all blocks: fresh memory costs more than the arithmetic done in it."""
        if self._scratch is None:
            self._scratch = like.new_empty(2, *shape)
        return self._scratch


def _queries_keys_values(layer: Attention, tokens: Tensor) -> Tensor:
    """[3, N, heads, 577, 384 / heads]."""
    count, length, _ = tokens.shape
    joined: Tensor = layer.qkv(tokens)
    return joined.reshape(count, length, 3, layer.num_heads, layer.head_dim).permute(2, 0, 3, 1, 4)


def _projected(layer: Attention, values: Tensor) -> Tensor:
    """What the layer makes of what its heads have read, [N, heads, 577, 384 / heads]: [N, 577, 384]."""
    projected: Tensor = layer.proj(values.transpose(1, 2).flatten(2))
    return projected
