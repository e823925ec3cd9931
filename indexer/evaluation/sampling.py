"""Samples of labelled pictures: seeded, and half of each class where possible."""

import numpy as np
import numpy.typing as npt

from indexer.estimates import Flags


def sample(fake: Flags, most: int | None, seed: int) -> npt.NDArray[np.int64]:
    """Numbers of at most `most` pictures (None: of all), rising; classes as even as the pictures allow."""
    if most is None or most >= len(fake):
        return np.arange(len(fake))
    chance = np.random.default_rng(seed)
    fakes, others = (chance.permutation(np.flatnonzero(side)) for side in (fake, ~fake))
    take = min(len(fakes), max(most // 2, most - len(others)))
    return np.sort(np.concatenate([fakes[:take], others[: most - take]]))
