"""Types of arrays that rooms hand each other; what their axes mean is said where they are used."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Reals: TypeAlias = npt.NDArray[np.float64]
Vector: TypeAlias = npt.NDArray[np.float32]
"""One embedding [D], L2-normalised unless it is said otherwise."""
Vectors: TypeAlias = npt.NDArray[np.float32]
"""Embeddings [N, D], as of `Vector`."""
