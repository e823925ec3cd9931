"""The bundled copy descriptor's network: a small residual net of dense 3 x 3 convolutions (fast on CPUs, in bfloat16
too), generalised-mean pooling and a linear layer to a unit vector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, relu

ARCHITECTURE: Final = "dejafake_residual"
"""The name of this network in a config.json."""
_SMALLEST_MEAN: Final = 1e-4
_MOST_STAGES: Final = 8


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """What decides the tensors. `widths`: channels of each stage; `depths`: blocks of each stage; `dimension`: of the
    embedding; `folded`: batch normalisation is part of the convolutions, as in weights that are shipped."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    dimension: int
    folded: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The fields of `model_args` in config.json."""
        return {"widths": list(self.widths), "depths": list(self.depths), "dimension": self.dimension}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "NetworkShape":
        """A folded network's shape from `model_args` of a config.json.

        Raises:
            ValueError: a field is missing or no sensible size.
        """
        widths, depths = _sizes(fields.get("widths"), 2048), _sizes(fields.get("depths"), 24)
        (dimension,) = _sizes([fields.get("dimension")], 4096)
        if len(widths) != len(depths):
            raise ValueError("model_args needs as many widths as depths")
        return cls(widths, depths, dimension)


class CopyNetwork(nn.Module):
    """Pictures [N, 3, S, S], normalised, S a multiple of 32, to embeddings [N, dimension] of length 1."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.widths[0]
        self.stem = _Convolution(3, width, kernel=4, stride=4, folded=shape.folded)
        blocks: list[nn.Module] = []
        for stage, (wide, depth) in enumerate(zip(shape.widths, shape.depths, strict=True)):
            for number in range(depth):
                blocks.append(_Block(width, wide, 2 if stage and not number else 1, shape.folded))
                width = wide
        self.blocks = nn.Sequential(*blocks)
        self.power = nn.Parameter(torch.tensor(3.0))
        self.head = nn.Linear(width, shape.dimension)

    def forward(self, pictures: Tensor) -> Tensor:
        """The embeddings, float32."""
        pooled = self.pooled(pictures)
        with torch.autocast("cpu", enabled=False):
            return normalize(self.head(pooled), dim=1)

    def pooled(self, pictures: Tensor) -> Tensor:
        """What the last layer sees, [N, widths[-1]], float32: the generalised mean of each channel (Radenovic et al.,
        TPAMI 2019)."""
        features = self.blocks(relu(self.stem(pictures)))
        with torch.autocast("cpu", enabled=False):  # powers are too coarse in bfloat16
            values = features.float().clamp(min=_SMALLEST_MEAN)
            power = self.power.float()
            pooled: Tensor = values.pow(power).mean(dim=(2, 3)).pow(1 / power)
        return pooled


def folded_state(network: CopyNetwork) -> dict[str, Tensor]:
    """The tensors of a network whose batch normalisation is folded into its convolutions, for a shape with `folded`."""
    state: dict[str, Tensor] = {}
    for name, part in network.named_modules():
        if isinstance(part, _Convolution):
            state |= {f"{name}.{key}": values for key, values in part.folded_tensors().items()}
    return state | {key: values.detach() for key, values in network.state_dict().items() if _is_plain(key)}


def _is_plain(name: str) -> bool:
    return name == "power" or name.startswith("head.")


class _Convolution(nn.Module):
    """A convolution and its batch normalisation, or both in one where they are folded."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, folded: bool) -> None:
        super().__init__()
        padding = 1 if kernel == 3 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=folded)
        self.norm = nn.Identity() if folded else nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(features))
        return out

    def folded_tensors(self) -> dict[str, Tensor]:
        """`conv.weight` and `conv.bias` that do what both layers do with the measured means and variances."""
        if not isinstance(self.norm, nn.BatchNorm2d):
            raise TypeError("this network is folded already")
        mean, variance = self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
        scale = self.norm.weight / torch.sqrt(variance + self.norm.eps)
        weight = self.conv.weight * scale[:, None, None, None]
        return {"conv.weight": weight.detach(), "conv.bias": (self.norm.bias - mean * scale).detach()}


class _Block(nn.Module):
    """Two 3 x 3 convolutions around which the input is carried (He et al., CVPR 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int, folded: bool) -> None:
        super().__init__()
        self.first = _Convolution(inputs, outputs, 3, stride, folded)
        self.second = _Convolution(outputs, outputs, 3, 1, folded)
        same = stride == 1 and inputs == outputs
        self.carried = nn.Identity() if same else _Convolution(inputs, outputs, stride, stride, folded)

    def forward(self, features: Tensor) -> Tensor:
        return relu(self.second(relu(self.first(features))) + self.carried(features))


def _sizes(values: object, most: int) -> tuple[int, ...]:
    if isinstance(values, Sequence) and 0 < len(values) <= _MOST_STAGES:
        sizes = tuple(value for value in values if type(value) is int and 0 < value <= most)
        if len(sizes) == len(values):
            return sizes
    raise ValueError("model_args needs widths, depths (lists of positive integers) and dimension")
