"""JPEG files as large as photographs."""

import io

import numpy as np
from PIL import Image


def large_jpegs(count: int, side: int) -> list[bytes]:
    """So many JPEG files of soft shapes under fine noise, about as many bytes as photographs have."""
    rng = np.random.default_rng(3)
    jpegs = []
    for _ in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).resize(
            (side, side), Image.Resampling.BICUBIC
        )
        noisy = np.asarray(coarse, np.int16) + rng.integers(-8, 9, (side, side, 1), np.int16)
        file = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
        jpegs.append(file.getvalue())
    return jpegs
