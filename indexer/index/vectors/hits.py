"""The result of a vector search, and merging the results of several parts of an index."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NO_HIT = -1


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The best rows of Q queries, best first: by falling cosine, equal cosines by rising id.

    `ids` [Q, k] int64, -1 where there was nothing more to find; `scores` [Q, k] float32 cosines in [-1, 1], -inf there.
    """

    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]

    @classmethod
    def none(cls, queries: int, k: int) -> "Hits":
        """No hits, for `queries` queries."""
        return cls(np.full((queries, k), NO_HIT, np.int64), np.full((queries, k), -np.inf, np.float32))

    def ranked(self, k: int) -> "Hits":
        """The first k columns after ranking; narrower results are padded."""
        order = np.lexsort((self.ids, -self.scores), axis=-1)[:, :k]
        each = np.arange(len(order))[:, None]
        ranked = Hits(self.ids[each, order], self.scores[each, order])
        missing = k - order.shape[1]
        return ranked if missing <= 0 else ranked.beside(Hits.none(len(self.ids), missing))

    def beside(self, other: "Hits") -> "Hits":
        """The columns of both, unranked."""
        return Hits(np.hstack((self.ids, other.ids)), np.hstack((self.scores, other.scores)))
