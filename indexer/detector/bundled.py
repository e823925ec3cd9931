"""`dejafake-small`, the bundled detector: its spec and files.

They were made by `python -m indexer.detector.training`; `docs/detector-card.md` says from what and how good it is.
"""

from pathlib import Path
from typing import Final

from indexer.detector.spec import IMAGE_SIZE, Architecture, DetectorSpec, Head, Preprocessing
from indexer.detector.weights import WEIGHTS_FILE

FOLDER: Final = Path(__file__).parent / "shipped" / "dejafake-small"
"""Weights, configuration and golden outputs."""
SPEC: Final = DetectorSpec(
    name="dejafake-small",
    summary="A small vision transformer behind a convolutional stem that comes with dejafake. Its embeddings find "
    "altered copies; its verdict is weak.",
    repository=None,
    revision=None,
    filename=WEIGHTS_FILE,
    sha256="c777215c48fc6db72e7613101cb541f958e5e6e51bbcc79afba7e7c16f8305d4",
    byte_size=10_971_146,
    architecture=Architecture(
        "vit_small_patch16_384",
        depth=4,
        heads=6,
        mlp_width=768,
        conv_stem=((32, 2), (64, 2), (64, 1), (128, 2), (256, 2)),
    ),
    preprocessing=Preprocessing(
        resize_shortest=IMAGE_SIZE,
        resample=3,
        crop=IMAGE_SIZE,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    ),
    head=Head("sigmoid", 0, ("fake",)),
    licence="MIT",
    trained=True,
    limits=(
        "its score is weak evidence, and none on faces of StyleGAN2 (docs/detector-card.md): use it to find copies",
        "the centre crop does not see the border of a picture",
        "one detector is a signal, not proof",
    ),
    same_origin_min_cosine=0.99,
)
