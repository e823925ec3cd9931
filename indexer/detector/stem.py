"""How pixels become patch vectors: timm's one 16x16 convolution, or a stem of small ones.

"Early convolutions help transformers see better" (Xiao et al., NeurIPS 2021, arXiv 2106.14881): a stack of 3x3
convolutions keeps fine texture that one large, coarse convolution drowns.
"""

from collections.abc import Callable

import torch
from timm.layers.patch_embed import PatchEmbed
from torch import Tensor, nn

from indexer.detector.spec import PATCHES


class ConvolutionalStem(nn.Module):
    """3x3 convolutions with padding 1 and a bias, each followed by a ReLU, then a 1x1 convolution to the model's width.

    [N, 3, 384, 384] -> [N, 576, width], patches in rows from the top left, as timm's `PatchEmbed` gives them.
    """

    def __init__(self, layers: tuple[tuple[int, int], ...], in_chans: int, embed_dim: int) -> None:
        super().__init__()
        self.num_patches = PATCHES
        self.stem = nn.ModuleList()
        before = in_chans
        for channels, stride in layers:
            self.stem.append(nn.Conv2d(before, channels, kernel_size=3, stride=stride, padding=1))
            before = channels
        self.proj = nn.Conv2d(before, embed_dim, kernel_size=1)

    def forward(self, pictures: Tensor) -> Tensor:
        """The patch vectors of a batch."""
        for layer in self.stem:
            pictures = torch.relu_(layer(pictures))
        patches: Tensor = self.proj(pictures)
        return patches.flatten(2).transpose(1, 2)


def patch_embedding(layers: tuple[tuple[int, int], ...]) -> Callable[..., nn.Module]:
    """What `VisionTransformer` is to make as its `embed_layer`; `layers` as `Architecture.conv_stem`."""
    if not layers:
        return PatchEmbed

    def make(*, in_chans: int, embed_dim: int, **_of_one_convolution: object) -> nn.Module:
        return ConvolutionalStem(layers, in_chans, embed_dim)

    return make
