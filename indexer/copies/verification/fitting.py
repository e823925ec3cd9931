"""How two pictures lie over each other: a similarity, an affine map or a homography through pairs of points.

Nothing is drawn by chance, so that the same features always give the same answer.
"""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.arrays import Reals

_MOST_TRIED: Final = 32
"""Of so many pairs every two are tried as the start of a similarity."""
_MAX_SCALE: Final = 16.0
_MAX_STRETCH: Final = 2.6
"""Largest ratio of the stretch along two directions."""


def similarity_of_two(of_query: Reals, of_known: Reals, tolerance: float) -> Reals | None:
    """The similarity [3, 3] through two of the pairs [N, 2] that brings most others within `tolerance`; of equal ones
    the nearest."""
    a = (of_query[:, 0] + 1j * of_query[:, 1])[:_MOST_TRIED]
    b = (of_known[:, 0] + 1j * of_known[:, 1])[:_MOST_TRIED]
    first, second = _every_two(len(a))
    apart = np.abs(a[second] - a[first]) > 1e-3
    first, second = first[apart], second[apart]
    if len(first) == 0:
        return None
    turn = (b[second] - b[first]) / (a[second] - a[first])
    shift = b[first] - turn * a[first]
    off = np.abs(turn[:, None] * a[None, :] + shift[:, None] - b[None, :]) / tolerance
    best = int(np.minimum(off * off, 1).sum(axis=1).argmin())
    return _similarity(complex(turn[best]), complex(shift[best]))


@cache
def _every_two(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    first, second = np.triu_indices(count, 1)
    return first, second


def similarity(of_query: Reals, of_known: Reals) -> Reals | None:
    """The similarity [3, 3] of least squares through at least two pairs [N, 2]."""
    a = of_query[:, 0] + 1j * of_query[:, 1]
    b = of_known[:, 0] + 1j * of_known[:, 1]
    from_middle = a - a.mean()
    spread = float((np.abs(from_middle) ** 2).sum())
    if spread < 1e-6:
        return None
    turn = complex((np.conj(from_middle) * (b - b.mean())).sum() / spread)
    return _similarity(turn, complex(b.mean() - turn * a.mean()))


def affine(of_query: Reals, of_known: Reals) -> Reals | None:
    """The affine map [3, 3] of least squares through at least three pairs [N, 2]."""
    terms = np.column_stack([of_query, np.ones(len(of_query))])
    solution, _, rank, _ = np.linalg.lstsq(terms, of_known, rcond=1e-9)
    if rank < 3:
        return None
    return np.vstack([solution.T, [0.0, 0.0, 1.0]])


def homography(of_query: Reals, of_known: Reals) -> Reals | None:
    """The homography [3, 3] through at least four pairs [N, 2], by the direct linear transform with normalised places
    (Hartley, TPAMI 1997)."""
    to_unit, back = _normalising(of_query), _normalising(of_known)
    (x, y), (u, v) = mapped(to_unit, of_query).T, mapped(back, of_known).T
    zeros, ones = np.zeros(len(x)), np.ones(len(x))
    rows = np.stack(
        [
            np.stack([x, y, ones, zeros, zeros, zeros, -u * x, -u * y, -u], axis=1),
            np.stack([zeros, zeros, zeros, x, y, ones, -v * x, -v * y, -v], axis=1),
        ]
    ).reshape(-1, 9)
    solution = np.linalg.eigh(rows.T @ rows)[1][:, 0].reshape(3, 3)
    if abs(solution[2, 2]) < 1e-9:
        return None
    matrix = np.linalg.solve(back, solution @ to_unit)
    return np.asarray(matrix / matrix[2, 2], np.float64)


def _normalising(points: Reals) -> Reals:
    """Takes points [N, 2] to a mean of 0 and a mean distance of the square root of 2 from it."""
    middle = points.mean(axis=0)
    scale = np.sqrt(2) / max(1e-9, float(np.hypot(*(points - middle).T).mean()))
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])


def mapped(matrix: Reals, points: npt.ArrayLike) -> Reals:
    """`points` [N, 2] through a homography: [N, 2]; what lies beyond its horizon is infinitely far."""
    given = np.asarray(points, np.float64)
    homogeneous = given @ matrix[:, :2].T + matrix[:, 2]
    depth = np.where(homogeneous[:, 2:] > 1e-9, homogeneous[:, 2:], np.nan)
    placed = homogeneous[:, :2] / depth
    return np.asarray(np.nan_to_num(placed, nan=1e12), np.float64)


def jacobian(matrix: Reals, at: tuple[float, float]) -> Reals:
    """The derivative [2, 2] of a homography at a point."""
    x, y, w = matrix @ np.array([at[0], at[1], 1.0])
    rows: Reals = np.array([matrix[0, :2] - x / w * matrix[2, :2], matrix[1, :2] - y / w * matrix[2, :2]]) / w
    return rows


def plausible(matrix: Reals, points: Reals) -> bool:
    """Whether a picture could be laid over another like this: around `points` [N, 2] nothing folds over, is stretched
    more than 2.6 times along one direction, or 16 times larger or smaller."""
    if not np.isfinite(matrix).all():
        return False
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    around = np.array([[left, top, 1.0], [right, top, 1.0], [right, bottom, 1.0], [left, bottom, 1.0]])
    placed = around @ matrix.T
    depth = placed[:, 2]
    if (depth * matrix[2, 2] <= 1e-9).any():
        return False
    a = (matrix[0, :2] - (placed[:, 0] / depth)[:, None] * matrix[2, :2]) / depth[:, None]
    b = (matrix[1, :2] - (placed[:, 1] / depth)[:, None] * matrix[2, :2]) / depth[:, None]
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    if (area <= 1 / _MAX_SCALE**2).any() or (area > _MAX_SCALE**2).any():
        return False
    # of the singular values l and s of each derivative: l s is the area, l² + s² the sum of its squares
    ratio = ((a * a).sum(axis=1) + (b * b).sum(axis=1)) / area
    return bool((ratio <= _MAX_STRETCH + 1 / _MAX_STRETCH).all())


def _similarity(turn: complex, shift: complex) -> Reals:
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag], [0, 0, 1]], np.float64)
