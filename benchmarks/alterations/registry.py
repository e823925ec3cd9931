"""All alterations by name, and which of them nobody trained on."""

import io
import random
from collections.abc import Mapping
from types import MappingProxyType

from PIL import Image

from benchmarks.alterations.compositions import ALTERATIONS as COMPOSITIONS
from benchmarks.alterations.compositions import SINGLE
from benchmarks.alterations.drawing import Gallery
from benchmarks.alterations.kinds import Alteration, Others, Strength
from indexer.errors import NotFoundError

ALTERATIONS: Mapping[str, Alteration] = MappingProxyType({one.name: one for one in (*SINGLE, *COMPOSITIONS)})
LEFT_OUT_OF_TRAINING = frozenset({"stripes", "sticker", "upside_down", "screen", "photographed"})
"""Alterations that the bundled copy descriptor was not trained on, in any form."""
_MOST = 1280
"""Longest side that pictures are brought to first: phones and services do so too."""


def alter(name: str, rgb: Image.Image, strength: Strength, seed: int = 0, others: Others | None = None) -> bytes:
    """A JPEG file of the altered picture; the same arguments give the same bytes.

    Args:
        name: of the alteration.
        rgb: the picture, in mode RGB.
        strength: how much.
        seed: of what is drawn by chance.
        others: gives pictures for backgrounds and collages; without, they are made up.

    Raises:
        NotFoundError: there is no alteration of this name.
    """
    alteration = ALTERATIONS.get(name)
    if alteration is None:
        raise NotFoundError(f"there is no alteration {name!r}; there are: {', '.join(ALTERATIONS)}")
    picture = rgb.convert("RGB")
    picture.thumbnail((_MOST, _MOST), Image.Resampling.LANCZOS)
    chance = random.Random(f"{name}:{strength.name}:{seed}")
    altered = alteration.change(picture, chance, strength, others or Gallery())
    written = io.BytesIO()
    altered.convert("RGB").save(written, "JPEG", quality=alteration.qualities[strength])
    return written.getvalue()
