"""Folders and manifests of labelled pictures, made on the fly."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.made_pictures import encoded, scene

SIDE = 96


def authentic(seed: int, side: int = SIDE) -> bytes:
    """A made scene."""
    return encoded(scene(seed, (side, side)))


def fake(seed: int, side: int = SIDE) -> bytes:
    """Noise over a scene: a difference any baseline sees."""
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return encoded(Image.blend(scene(seed + 500, (side, side)), Image.fromarray(noise), 0.5))


def manifest(folder: Path, pictures: Mapping[str, bytes], rows: Sequence[Mapping[str, str]]) -> Path:
    """A JSONL manifest with its pictures beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in pictures.items():
        (folder / name).write_bytes(data)
    path = folder / "labelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def both_classes(folder: Path, each: int = 6) -> Path:
    """A manifest of `each` fakes by two generators and as many authentic pictures, two of a group."""
    pictures = {f"fake{i}.png": fake(i) for i in range(each)} | {f"real{i}.png": authentic(i) for i in range(each)}
    rows = [
        {
            "path": f"fake{i}.png",
            "label": "fake",
            "generator": "noise-a" if i % 2 else "noise-b",
            "technique": "text_to_image",
            "group": f"fakes {i // 2}",
        }
        for i in range(each)
    ] + [{"path": f"real{i}.png", "label": "authentic", "group": f"reals {i // 2}"} for i in range(each)]
    return manifest(folder, pictures, rows)
