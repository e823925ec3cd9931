"""The network while it is trained: the bundled detector's architecture with batch normalisation in the stem, and its
folding into the plain convolutions that are shipped."""

from collections.abc import Mapping

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from indexer.detector.spec import IMAGE_SIZE, PATCH_SIZE
from indexer.detector.training.config import TrainingConfig
from indexer.vocabulary import EMBEDDING_SIZE


class TrainingNetwork(nn.Module):
    """A pre-norm vision transformer behind a convolutional stem (Xiao et al., NeurIPS 2021, arXiv 2106.14881).

    Beside the verdict's head it has others for the kind of picture (photograph, generator, manipulation), which are
    used in training only.
    """

    def __init__(self, config: TrainingConfig, kinds: int) -> None:
        super().__init__()
        self.transformer = VisionTransformer(
            img_size=IMAGE_SIZE,
            patch_size=PATCH_SIZE,
            embed_dim=EMBEDDING_SIZE,
            depth=config.depth,
            num_heads=6,
            mlp_ratio=config.mlp_ratio,
            num_classes=1,
            drop_path_rate=config.drop_path,
        )
        del self.transformer.patch_embed
        layers: list[nn.Module] = []
        width = 3
        for channels, stride in config.conv_stem:
            layers += [
                nn.Conv2d(width, channels, 3, stride, 1, bias=False),
                nn.BatchNorm2d(channels, momentum=0.03),
                nn.ReLU(inplace=True),
            ]
            width = channels
        self.stem = nn.Sequential(*layers)
        _sharpen(layers[0])
        self.proj = nn.Conv2d(width, EMBEDDING_SIZE, 1)
        self.standard = nn.BatchNorm1d(EMBEDDING_SIZE, affine=False)
        self.kinds = nn.Parameter(torch.randn(kinds, EMBEDDING_SIZE) * 0.05)
        self.early = nn.Linear(width, 1 + kinds)

    def forward(self, pictures: Tensor, seen: Tensor | None = None) -> Tensor:
        """CLS embeddings [N, 384] of pictures [N, 3, 384, 384], from all 576 patches or from those that `seen` [P]
        numbers: leaving patches out makes a step several times cheaper (Liu et al., WACV 2023, arXiv 2208.07220)."""
        positions, token = self.transformer.pos_embed, self.transformer.cls_token
        if positions is None or token is None:
            raise AssertionError("the transformer was made with position embeddings and a CLS token")
        maps = self.stem(pictures).flatten(2)
        places = positions[:, 1:]
        if seen is not None:
            maps, places = maps[:, :, seen], places[:, seen]
        patches = linear(maps.transpose(1, 2), self.proj.weight.flatten(1), self.proj.bias) + places
        first = (token + positions[:, :1]).expand(len(pictures), -1, -1)
        tokens = torch.cat([first, patches], dim=1)
        cls: Tensor = self.transformer.norm(self.transformer.blocks(tokens))[:, 0]
        return cls

    def stem_only(self, windows: Tensor) -> Tensor:
        """What the stem's average alone says of windows [N, 3, H, W] of pictures: verdict and kind [N, 1 + kinds]."""
        features: Tensor = self.early(self.stem(windows).float().mean(dim=(2, 3)))
        return features

    def standardised(self, cls: Tensor) -> Tensor:
        """CLS embeddings [N, 384] with mean 0 and deviation 1 over the batch in every dimension.

        Losses on cosines are computed on these: what all pictures share cannot pull strangers together. `finish` does
        the same to the network that is shipped.
        """
        embeddings: Tensor = self.standard(cls)
        return embeddings

    def verdict(self, standardised: Tensor) -> Tensor:
        """Logits [N]."""
        logits: Tensor = self.transformer.head(standardised)
        return logits[:, 0]

    def kind(self, unit: Tensor, temperature: float) -> Tensor:
        """Scores [N, kinds] of L2-normalised embeddings."""
        return unit @ normalize(self.kinds, dim=1).T / temperature


def bfloat16_where_fast() -> torch.autocast:
    """Autocast to bfloat16 on processors with instructions for it; on others it would be 20 times slower than fp32."""
    return torch.autocast("cpu", torch.bfloat16, enabled=bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()))


def _sharpen(first: nn.Module) -> None:
    """Starts half of the first filters without their response to even and evenly rising brightness, so that traces are
    not drowned by content (after Bayar & Stamm, IH&MMSec 2016)."""
    if not isinstance(first, nn.Conv2d):
        raise TypeError("the stem begins with a convolution")
    y, x = torch.meshgrid(torch.arange(3) - 1.0, torch.arange(3) - 1.0, indexing="ij")
    smooth = torch.stack([torch.ones(9) / 3, y.flatten() / 6**0.5, x.flatten() / 6**0.5])
    with torch.no_grad():
        half = first.weight[::2].flatten(2)
        first.weight[::2] = (half - half @ smooth.T @ smooth).reshape(first.weight[::2].shape)


def shipped_tensors(state: Mapping[str, Tensor], config: TrainingConfig) -> dict[str, Tensor]:
    """The tensors of the shipped detector, float32, from a trained network's state: each normalisation of the stem is
    folded into the convolution before it."""
    tensors = {}
    for index in range(len(config.conv_stem)):
        kernel, norm = state[f"stem.{3 * index}.weight"], f"stem.{3 * index + 1}."
        gain = state[norm + "weight"] / torch.sqrt(state[norm + "running_var"] + 1e-5)
        tensors[f"patch_embed.stem.{index}.weight"] = kernel * gain[:, None, None, None]
        tensors[f"patch_embed.stem.{index}.bias"] = state[norm + "bias"] - state[norm + "running_mean"] * gain
    tensors["patch_embed.proj.weight"] = state["proj.weight"]
    tensors["patch_embed.proj.bias"] = state["proj.bias"]
    prefix = "transformer."
    tensors |= {name.removeprefix(prefix): values for name, values in state.items() if name.startswith(prefix)}
    return {name: values.detach().float().contiguous() for name, values in tensors.items()}
