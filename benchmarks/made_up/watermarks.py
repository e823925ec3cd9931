"""Pictures with Stable Diffusion's invisible watermark, put in as `indexer.provenance.watermark` says it is read.

`exact` is how the scripts of Stable Diffusion XL call the encoder: on colours that are not rounded, whose U lies about
0.5 instead of 128.
"""

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.provenance.watermark import BLOCK, STEP, Bits

Plane = npt.NDArray[np.float32]


def watermarked(picture: Image.Image, message: Bits, *, exact: bool = False) -> Image.Image:
    """The picture, of mode RGB, with the message in its U channel, repeated over all blocks."""
    pixels = np.asarray(picture, np.float32 if exact else np.uint8)
    yuv = cast("npt.NDArray[np.generic]", cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV)).copy()
    height, width = (edge // 8 * 8 for edge in yuv.shape[:2])
    marked = _marked(yuv[:height, :width, 1].astype(np.float32), message)
    yuv[:height, :width, 1] = marked if exact else np.clip(marked, 0, 255).astype(np.uint8)
    rgb_marked = cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB)
    return Image.fromarray(np.clip(np.rint(rgb_marked), 0, 255).astype(np.uint8))


def _marked(channel: Plane, message: Bits) -> Plane:
    """The channel [height, width], both multiples of 8, with one bit in every 8 x 8 pixels."""
    rows, columns = (edge // (2 * BLOCK) for edge in channel.shape)
    halved = channel.reshape(rows * BLOCK, 2, columns * BLOCK, 2).sum(axis=(1, 3)) / 2
    blocks = halved.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK * BLOCK)
    at = np.arange(len(blocks)), np.abs(blocks[:, 1:]).argmax(axis=1) + 1
    bits = np.resize(message, len(blocks))
    before = blocks[at]
    after = (np.abs(before) // STEP + 0.25 + 0.5 * bits) * STEP
    change = np.zeros_like(blocks)
    change[at] = np.where(before < 0, -after, after) - before
    spread = change.reshape(rows, columns, BLOCK, BLOCK).swapaxes(1, 2).reshape(halved.shape)
    return channel + spread.repeat(2, axis=0).repeat(2, axis=1) / 2
