"""What the search index says about itself: its status, and the result of a full check."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

IndexState = Literal["missing", "stale", "ready", "damaged", "other_detector"]


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The vector index of one detector, compared with the catalogue.

    `state`: `ready`; `missing`: embeddings but no snapshot; `stale`: it does not hold what the catalogue holds;
    `damaged`: the snapshot failed its checksums; `other_detector`: the snapshot is of another detector. Searches are
    right in the states `ready`, `missing` and `damaged`, in the last two only slower: they go through all embeddings.

    `count` embeddings can be found, of which `tail` are not in the snapshot; `deleted` rows of the snapshot no longer
    count. `kind` is `exact` or `ivf` with its `parameters`, its `recall` (recall@10 in [0, 1]) and the `milliseconds`
    of one search, both measured when it was built; `built_at` is UTC; `bytes` is the snapshot's size.
    `problem` is the last failure of background work, for a person.
    """

    fingerprint: str
    state: IndexState
    count: int
    catalogue_count: int
    tail: int
    deleted: int
    snapshot: str
    kind: Literal["exact", "ivf"]
    parameters: Mapping[str, int]
    recall: float | None
    milliseconds: float | None
    built_at: datetime | None
    bytes: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class IndexVerification:
    """The result of a full check: `problems` are for a person to read, `files` is how many checksums were compared,
    `self_queries` how many stored vectors were searched for."""

    problems: tuple[str, ...]
    files: int
    self_queries: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems
