"""Manipulations made in code, so that the detector meets more than the generators of one corpus: resynthesis by a small
autoencoder, up-sampling with a generator's artefacts, splices, inpainting, warped regions."""

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from indexer.detector.training.network import bfloat16_where_fast

Pixels = npt.NDArray[np.uint8]
Random = np.random.Generator


class Autoencoder(nn.Module):
    """A convolutional autoencoder with eightfold reduction, as in latent diffusion."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            *(nn.Conv2d(3, 32, 4, 2, 1), nn.SiLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.SiLU()),
            *(nn.Conv2d(64, 96, 4, 2, 1), nn.SiLU(), nn.Conv2d(96, 12, 1)),
        )
        self.decode = nn.Sequential(
            *(
                nn.Conv2d(12, 96, 3, 1, 1),
                nn.SiLU(),
                nn.Upsample(scale_factor=2),
                nn.Conv2d(96, 64, 3, 1, 1),
                nn.SiLU(),
            ),
            *(nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.SiLU(), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(32, 24, 3, 1, 1), nn.SiLU(), nn.Conv2d(24, 3, 3, 1, 1)),
        )

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """[N, 3, H, W] in [-1, 1] to the same."""
        decoded: torch.Tensor = self.decode(self.encode(batch))
        return decoded

    @torch.inference_mode()
    def resynthesise(self, pixels: Pixels) -> Pixels:
        """A picture [H, W, 3] after encoding and decoding; its sides are multiples of eight."""
        batch = torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        decoded = self(batch)[0].permute(1, 2, 0).numpy()
        return np.asarray(np.clip((decoded + 1) * 127.5 + 0.5, 0, 255), np.uint8)


def train_autoencoder(tiles: Sequence[Pixels], steps: int, random: Random) -> Autoencoder:
    """An autoencoder fitted to cut-outs of the tiles."""
    model = Autoencoder()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    side = 128
    for _ in range(steps):
        batch = []
        for index in random.integers(len(tiles), size=16):
            top, left = random.integers(len(tiles[index]) - side + 1, size=2)
            batch.append(tiles[index][top : top + side, left : left + side])
        target = torch.from_numpy(np.stack(batch).astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
        with bfloat16_where_fast():
            output = model(target)
        loss = (output.float() - target).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def upsampled(pixels: Pixels, other: Pixels, random: Random) -> Pixels:
    """Shrunk two to four times and enlarged with zeros in between and an uneven kernel, which leaves the chequerboard
    of transposed convolutions (Odena et al., Distill 2016)."""
    side = len(pixels)
    times = int(random.choice([2, 3, 4]))
    small = cv2.resize(pixels, (side // times, side // times), interpolation=cv2.INTER_AREA).astype(np.float32)
    spread = np.zeros((small.shape[0] * times, small.shape[1] * times, 3), np.float32)
    spread[::times, ::times] = small
    size = times * 2 + int(random.integers(0, 2))
    bell = cv2.getGaussianKernel(size, times * random.uniform(0.45, 0.8))
    kernel = (bell @ bell.T) * (1 + random.normal(0, 0.08, (size, size)))
    filtered = cv2.filter2D(spread, -1, kernel / kernel.sum() * times * times, borderType=cv2.BORDER_REFLECT)
    whole = np.clip(filtered, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(whole, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def spliced(pixels: Pixels, other: Pixels, random: Random) -> Pixels:
    """A part of another picture set into this one by Poisson blending (Pérez et al., SIGGRAPH 2003)."""
    mask = _blob(len(pixels), random)
    rows, columns = np.nonzero(mask)
    centre = (int((columns.min() + columns.max()) // 2), int((rows.min() + rows.max()) // 2))
    return np.asarray(cv2.seamlessClone(other, pixels, mask, centre, cv2.NORMAL_CLONE), np.uint8)


def inpainted(pixels: Pixels, other: Pixels, random: Random) -> Pixels:
    """Regions removed and filled from their surroundings (Telea 2004)."""
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    mask = _blob(len(half), random)
    filled = cv2.resize(cv2.inpaint(half, mask, 3, cv2.INPAINT_TELEA), pixels.shape[1::-1])
    soft = cv2.GaussianBlur(cv2.resize(mask, pixels.shape[1::-1]), (9, 9), 0)[:, :, None] / 255.0
    return (filled * soft + pixels * (1 - soft)).astype(np.uint8)


def warped(pixels: Pixels, other: Pixels, random: Random) -> Pixels:
    """A round region, as of a face, pulled out of shape."""
    side = len(pixels)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    dx, dy = np.zeros_like(x), np.zeros_like(x)
    for _ in range(3):
        cx, cy = random.uniform(0.25, 0.75, 2) * side
        radius = random.uniform(0.15, 0.35) * side
        weight = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (radius * radius))
        dx += weight * random.uniform(-0.08, 0.08) * side
        dy += weight * random.uniform(-0.08, 0.08) * side
    return np.asarray(cv2.remap(pixels, x + dx, y + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), np.uint8)


LOCAL: Final[dict[str, Callable[[Pixels, Pixels, Random], Pixels]]] = {
    "splice": spliced,
    "inpainting": inpainted,
    "warp": warped,
}
"""Manipulations of a part of the picture; each takes the picture, another one, and a source of chance."""


def _blob(side: int, random: Random) -> Pixels:
    """A mask [side, side] of 255 in a few ellipses near the middle, away from the border."""
    mask = np.zeros((side, side), np.uint8)
    for _ in range(int(random.integers(1, 4))):
        centre = tuple(int(c) for c in random.uniform(0.35, 0.65, 2) * side)
        axes = tuple(int(a) for a in random.uniform(0.1, 0.25, 2) * side)
        cv2.ellipse(mask, centre, axes, float(random.uniform(0, 180)), 0, 360, 255, -1)
    return mask
