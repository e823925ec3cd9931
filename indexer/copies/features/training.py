"""`python -m indexer.copies.features.training collect | train`: makes the codebook from training pictures.

`collect` takes descriptors of pictures, `train` learns rotation, parts and lists from them. Both are seeded.
"""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import faiss
import numpy as np
from safetensors.numpy import save

from indexer.copies.features.codebook import CENTROIDS, CODE_BYTES, CODEBOOK, LISTS
from indexer.copies.features.local_features import DIMENSION, MIRRORED_BINS, Descriptors
from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.threads import limit_faiss

FEATURES_A_PICTURE: Final = 128
_SEED: Final = 0
_ROTATED_ON: Final = 40_000
_LIST_ROUNDS: Final = 6
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def training() -> None:
    """Make the codebook of local features."""


@training.command()
@click.argument("manifests", nargs=-1, required=True, type=_FILE)
@click.option("--out", type=_FILE, required=True, help="Where the descriptors go (.npy).")
def collect(manifests: tuple[Path, ...], out: Path) -> None:
    """Take the descriptors of the training pictures of MANIFESTS: CSV with `path` and `label`, and perhaps `use`."""
    from indexer.copies.features.sift import features_of

    limits = ImageLimits.from_settings(Settings())
    taken = []
    for path in (path for manifest in manifests for path in training_pictures(manifest)):
        try:
            taken.append(features_of(decode(path.read_bytes(), limits).rgb, FEATURES_A_PICTURE).descriptors)
        except ImageRejectedError as error:
            click.echo(f"{path}: {error}", err=True)
    np.save(out, np.concatenate(taken))
    click.echo(f"{sum(len(descriptors) for descriptors in taken):,} descriptors of {len(taken):,} pictures")


def training_pictures(manifest: Path) -> Iterator[Path]:
    """The pictures that may be trained on: those whose `use` is train, or the machine-made ones where none is said."""
    with manifest.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["use"] == "train" if "use" in row else row["label"] == "fake":
                yield manifest.parent / row["path"]


@training.command()
@click.argument("descriptors", type=_FILE)
@click.option("--threads", type=click.IntRange(0), default=0, help="Compute threads. 0: one per core.")
def train(descriptors: Path, threads: int) -> None:
    """Learn the codebook from DESCRIPTORS and put it where it ships; prints the digest that the code must name."""
    limit_faiss(threads)
    data = trained(np.load(descriptors), lists=LISTS)
    CODEBOOK.parent.mkdir(exist_ok=True)
    CODEBOOK.write_bytes(data)
    click.echo(f"{len(data):,} bytes: CODEBOOK_SHA256 = {hashlib.sha256(data).hexdigest()}")


def trained(descriptors: Descriptors, lists: int) -> bytes:
    """A codebook with so many lists, as a safetensors file, from descriptors [N, 128] and their mirror images."""
    rng = np.random.default_rng(_SEED)
    both = np.concatenate([descriptors, descriptors[:, MIRRORED_BINS]])
    both = both[rng.permutation(len(both))].astype(np.float32)
    rotation = faiss.OPQMatrix(DIMENSION, CODE_BYTES, DIMENSION)
    rotation.niter, rotation.niter_pq = 10, 4
    rotation.train(both[:_ROTATED_ON])
    rotated = rotation.apply(both)
    quantiser = faiss.ProductQuantizer(DIMENSION, CODE_BYTES, 8)
    quantiser.cp.seed = _SEED + 1
    quantiser.train(rotated[: 2 * _ROTATED_ON])
    coarse = faiss.Kmeans(DIMENSION, lists, niter=_LIST_ROUNDS, seed=_SEED + 2, max_points_per_centroid=24)
    coarse.train(both)
    tensors = {
        "rotation": faiss.vector_to_array(rotation.A).reshape(DIMENSION, DIMENSION).T.astype(np.float16),
        "parts": faiss.vector_to_array(quantiser.centroids).reshape(CODE_BYTES, CENTROIDS, -1).astype(np.float16),
        "lists": np.rint(coarse.centroids).clip(0, 255).astype(np.uint8),
    }
    return save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})


if __name__ == "__main__":
    training()
