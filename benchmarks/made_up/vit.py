"""A ViT-S/16 at 384 px of random numbers, in the layout and with the preprocessing of Community Forensics' checkpoint.

Matrices have the variance that keeps activations about 1 (LeCun et al., "Efficient BackProp", 1998), so that embeddings
depend on the picture; time does not depend on what weights say. Also the JPEG files that benchmarks read.
"""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
BLOCKS = 12


def write_random_vit(folder: Path, blocks: int = BLOCKS) -> Path:
    """Writes weights and configuration into `folder`."""
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=384,
        num_hidden_layers=blocks,
        num_attention_heads=6,
        intermediate_size=1536,
        image_size=384,
        patch_size=16,
        layer_norm_eps=1e-6,
        id2label={0: "fake"},
        label2id={"fake": 0},
    )
    model = ViTForImageClassification(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim in (2, 4):
                parameter.normal_(std=parameter[0].numel() ** -0.5)
    model.save_pretrained(folder)
    ViTImageProcessor(
        size={"shortest_edge": 440},
        resample=3,
        do_center_crop=True,
        crop_size={"height": 384, "width": 384},
        image_mean=list(CLIP_MEAN),
        image_std=list(CLIP_STD),
    ).save_pretrained(folder)
    return folder


def write_jpegs(folder: Path, size: tuple[int, int], count: int) -> list[Path]:
    """`count` different JPEG files of `size` (width, height): smooth colours with texture, as photographs have."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(size[0])
    paths = []
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
        grain = random.integers(-12, 13, (size[1], size[0], 1), dtype=np.int16)
        picture = Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=90)
        path = folder / f"{number:03}.jpg"
        path.write_bytes(buffer.getvalue())
        paths.append(path)
    return paths
