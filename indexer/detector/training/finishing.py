"""The last step of training: standardising the embedding and refitting the last layer of the verdict."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from indexer.detector.training.config import TrainingConfig
from indexer.detector.training.network import TrainingNetwork, bfloat16_where_fast
from indexer.detector.training.supply import Supply

_NORM, _HEAD = "transformer.norm.", "transformer.head."


def finish(
    state: Mapping[str, Tensor], supply: Supply, config: TrainingConfig, report: Callable[[str], None]
) -> dict[str, Tensor]:
    """The state with CLS embeddings of mean 0 and deviation 1 in every dimension, and a verdict's head that fits them.

    Both are measured on whole pictures of further batches and written into the last LayerNorm and the head. Cosines
    of strangers come to lie around 0 instead of high up, and copies stand out. The head of the loop
    lags behind its network; logistic regression finds the one that suits it, regularised more than usual, for the
    embeddings have seen these pictures before. Pictures of which only a part was manipulated are left out of it.
    """
    report("standardising the embedding and fitting the verdict")
    network = TrainingNetwork(config, len(supply.kinds))
    network.load_state_dict(state)
    network.eval()
    embeddings, fakes, counted = [], [], []
    for step in range(config.steps, config.steps + config.finishing_batches):
        batch = supply.stem_batch(step)
        with torch.inference_mode(), bfloat16_where_fast():
            cls = network(batch.plain.contiguous(memory_format=torch.channels_last))
        embeddings.append(cls.float().numpy())
        fakes.append(batch.fake.numpy() > 0)
        counted.append(batch.weights.numpy() == 1)
    table = np.concatenate(embeddings).astype(np.float64)
    mean, deviation = table.mean(axis=0), table.std(axis=0) + 1e-3
    standard, judged = (table - mean) / deviation, np.concatenate(counted)
    fitted = LogisticRegression(C=0.003, class_weight="balanced", max_iter=2_000).fit(
        standard[judged], np.concatenate(fakes)[judged]
    )
    gain, offset = torch.from_numpy(1 / deviation), torch.from_numpy(mean)
    changed = {
        f"{_NORM}weight": state[f"{_NORM}weight"] * gain,
        f"{_NORM}bias": (state[f"{_NORM}bias"] - offset) * gain,
        f"{_HEAD}weight": torch.from_numpy(fitted.coef_),
        f"{_HEAD}bias": torch.from_numpy(fitted.intercept_),
    }
    return dict(state) | {name: values.float() for name, values in changed.items()}
