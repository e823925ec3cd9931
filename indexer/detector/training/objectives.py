"""The losses: telling machine-made from photographed, naming the kind, finding copies, and grouping pictures of one
origin. All but the first work on cosines, because search does."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

_IGNORED = -1
"""The kind of a picture that has no origin worth gathering: a photograph."""


@dataclass(slots=True)
class Memory:
    """Embeddings of past steps, more to compare with than a batch holds (Wang et al., CVPR 2020, arXiv 1912.06798).
    `units` [M, 384], `pictures` [M], `origins` [M]."""

    units: Tensor
    pictures: Tensor
    origins: Tensor

    @classmethod
    def empty(cls, width: int) -> "Memory":
        """No embedding yet."""
        return cls(torch.empty(0, width), torch.empty(0, dtype=torch.long), torch.empty(0, dtype=torch.long))

    def add(self, units: Tensor, pictures: Tensor, origins: Tensor, most: int) -> None:
        """Keeps the newest `most`."""
        self.units = torch.cat([self.units, units.detach()])[-most:]
        self.pictures = torch.cat([self.pictures, pictures])[-most:]
        self.origins = torch.cat([self.origins, origins])[-most:]


def verdict_loss(logits: Tensor, fake: Tensor, weights: Tensor) -> Tensor:
    """Weighted binary cross-entropy of logits [N] with targets smoothed by 0.02."""
    target = fake * 0.96 + 0.02
    losses = binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (losses * weights).sum() / weights.sum().clamp(min=1e-6)


def instance_loss(plain: Tensor, copy: Tensor, pictures: Tensor, usable: Tensor, memory: Memory, t: float) -> Tensor:
    """InfoNCE (van den Oord et al. 2018, arXiv 1807.03748): each view finds the other of its picture, among the batch
    and the memory. Embeddings [N, 384] are L2-normalised; `usable` [N] leaves out views that lost their content."""
    total = plain.new_zeros(())
    own = torch.arange(len(plain))
    for query, key in ((plain, copy), (copy, plain)):
        scores = torch.cat([query @ key.T, query @ memory.units.T], dim=1) / t
        others = torch.cat([pictures, memory.pictures])
        same = pictures[:, None] == others[None, :]
        same[own, own] = False
        scores = scores.masked_fill(same, -1e4)
        losses = cross_entropy(scores, own, reduction="none")
        total = total + (losses * usable).sum() / usable.sum().clamp(min=1)
    return total / 2


def origin_loss(units: Tensor, pictures: Tensor, origins: Tensor, memory: Memory, t: float) -> Tensor:
    """Supervised contrastive loss (Khosla et al., NeurIPS 2020, arXiv 2004.11362) over pictures of one origin, other
    pictures only. Embeddings [N, 384] are L2-normalised; photographs (origin -1) gather nowhere."""
    keys = torch.cat([units.detach(), memory.units])
    ids, kinds = torch.cat([pictures, memory.pictures]), torch.cat([origins, memory.origins])
    scores = units @ keys.T / t
    other = pictures[:, None] != ids[None, :]
    scores = scores.masked_fill(~other, -1e4)
    positive = other & (origins[:, None] == kinds[None, :]) & (origins[:, None] != _IGNORED)
    logs = scores - scores.logsumexp(dim=1, keepdim=True)
    count = positive.sum(dim=1)
    losses = -(logs * positive).sum(dim=1) / count.clamp(min=1)
    return losses[count > 0].mean() if bool((count > 0).any()) else units.new_zeros(())
