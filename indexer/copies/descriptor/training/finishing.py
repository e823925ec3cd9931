"""The last layer of a finished network: whitening, measured on pictures, instead of what the training left there."""

import numpy as np
import torch

from indexer.copies.descriptor.network import CopyNetwork
from indexer.copies.descriptor.training.config import TrainingConfig
from indexer.copies.descriptor.training.supply import Collection, as_tensor, squeezed
from indexer.detector.training.network import bfloat16_where_fast

_FLOOR = 1e-3
"""Added to every variance, as a share of the largest: directions in which little varies are mostly noise."""
_AT_ONCE = 32


def whiten(network: CopyNetwork, pictures: Collection, config: TrainingConfig) -> None:
    """Makes `head` centre and whiten what it sees (PCA whitening, Jegou & Chum, ECCV 2012), as measured on
    `config.whitening` of the pictures. Trained with a memory of old embeddings, networks leave all pictures in a narrow
    cone: their nearest strangers had cosines of 0.9."""
    chosen = np.random.default_rng((config.seed, 3)).permutation(len(pictures))[: config.whitening]
    network.eval()
    batches = []
    with torch.inference_mode(), bfloat16_where_fast():
        for start in range(0, len(chosen), _AT_ONCE):
            seen = [squeezed(pictures[int(number)], config.side) for number in chosen[start : start + _AT_ONCE]]
            batches.append(network.pooled(as_tensor(seen)).numpy())
    features = np.concatenate(batches).astype(np.float64)
    mean = features.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(features.T))
    values, vectors = values[::-1][: config.dimension], vectors[:, ::-1][:, : config.dimension]
    projection = vectors / np.sqrt(values / values[0] + _FLOOR)
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(projection.T))
        network.head.bias.copy_(torch.from_numpy(-mean @ projection))
