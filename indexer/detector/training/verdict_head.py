"""The last layer of the verdict, fitted anew on frozen embeddings of whole pictures when all else is trained."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from indexer.detector.training.config import TrainingConfig
from indexer.detector.training.network import TrainingNetwork
from indexer.detector.training.supply import Supply

_BATCHES = 60


def fit_verdict(
    state: Mapping[str, Tensor], supply: Supply, config: TrainingConfig, report: Callable[[str], None]
) -> dict[str, Tensor]:
    """The state with a verdict's head from logistic regression over CLS embeddings of 60 further batches.

    The head of the loop saw windows and lags behind the network it sits on. Pictures of which only a part was
    manipulated are left out. Regularised more than usual, for the embeddings have seen these pictures before.
    """
    report("fitting the verdict's head")
    network = TrainingNetwork(config, len(supply.kinds))
    network.load_state_dict(state)
    network.eval()
    embeddings, fakes = [], []
    for step in range(config.steps, config.steps + _BATCHES):
        batch = supply.stem_batch(step)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            cls, _ = network(batch.plain.contiguous(memory_format=torch.channels_last), 0, 0)
        counted = batch.weights == 1
        embeddings.append(cls.float()[counted].numpy())
        fakes.append(batch.fake[counted].numpy() > 0)
    table, fake = np.concatenate(embeddings).astype(np.float64), np.concatenate(fakes)
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    fitted = LogisticRegression(C=0.01, class_weight="balanced", max_iter=2_000).fit((table - mean) / spread, fake)
    weights = fitted.coef_[0] / spread
    bias = float(fitted.intercept_[0]) - float(weights @ mean)
    head = {"transformer.head.weight": torch.tensor(weights[None]), "transformer.head.bias": torch.tensor([bias])}
    return dict(state) | {name: values.float() for name, values in head.items()}
