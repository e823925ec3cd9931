"""What the network is trained to do: a re-shared copy finds its picture among many others (InfoNCE), and embeddings
spread evenly (the entropy term), as SSCD's recipe has it (Pizzi et al., CVPR 2022, arXiv 2202.10261)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


@dataclass(slots=True)
class Memory:
    """Embeddings of past steps (Wang et al., CVPR 2020, arXiv 1912.06798). `units` [M, D]; `numbers` [M]: the pictures
    they are of."""

    units: Tensor
    numbers: Tensor

    @classmethod
    def empty(cls, dimension: int) -> "Memory":
        """No embedding yet."""
        return cls(torch.empty(0, dimension), torch.empty(0, dtype=torch.long))

    def add(self, units: Tensor, numbers: Tensor, most: int) -> None:
        """Keeps the newest `most`, in memory of their own: how sums are rounded depends on where tensors begin."""
        if most:
            self.units = torch.cat([self.units, units.detach()])[-most:].clone()
            self.numbers = torch.cat([self.numbers, numbers])[-most:].clone()


def copy_loss(plain: Tensor, altered: Tensor, numbers: Tensor, memory: Memory, temperature: float) -> Tensor:
    """InfoNCE (van den Oord et al. 2018, arXiv 1807.03748), both ways: each copy finds its picture among those of the
    step and the memory, each picture its copy among the other copies.

    Args:
        plain: [N, D], of length 1.
        altered: [V * N, D], V copies of each in the order of `plain`.
        numbers: [N], which pictures they are; the same picture in the memory is no stranger.
    """
    views = altered.view(-1, *plain.shape)
    own = torch.arange(len(plain))
    strangers = memory.units @ altered.T / temperature
    same = memory.numbers[:, None] == numbers.repeat(len(views))[None, :]
    strangers = strangers.masked_fill(same, -1e4).T
    total = plain.new_zeros(())
    for number, copies in enumerate(views):
        scores = copies @ plain.T / temperature
        among = strangers[number * len(plain) : (number + 1) * len(plain)]
        total = total + cross_entropy(torch.cat([scores, among], dim=1), own) + 0.5 * cross_entropy(scores.T, own)
    return total / (1.5 * len(views))


def entropy_loss(units: Tensor, others: Tensor) -> Tensor:
    """Kozachenko-Leonenko: minus the mean logarithm of the distance to the nearest stranger (Sablayrolles et al., ICLR
    2019, arXiv 1806.03198). `units` [N, D]: one of each picture; `others` [M, D]: embeddings of other pictures, held
    still."""
    scores = (units @ units.T).fill_diagonal_(-1.0)
    nearest = scores.max(dim=1).values
    if len(others):
        nearest = torch.maximum(nearest, (units @ others.T).max(dim=1).values)
    return -torch.log((2 - 2 * nearest).clamp(min=1e-4).sqrt()).mean()
