"""The status of the search index, and the result of a full verification."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from indexer.index.vectors import Manifest, VectorStore
from indexer.index.view import IndexView

IndexState = Literal["opening", "missing", "stale", "ready", "damaged", "other_detector"]


@dataclass(frozen=True, slots=True)
class CopyIndexStatus:
    """The vector index of the copy descriptor `fingerprint`; fields as in `IndexStatus`."""

    fingerprint: str
    state: IndexState
    count: int
    catalogue_count: int
    tail: int
    deleted: int
    kind: Literal["exact", "ivf"]
    parameters: Mapping[str, int]
    recall: float | None
    milliseconds: float | None
    built_at: datetime | None
    bytes: int

    @classmethod
    def of(cls, store: VectorStore, state: IndexState, catalogue_count: int) -> "CopyIndexStatus":
        """The status of a store."""
        return cls(
            fingerprint=store.folder.fingerprint,
            state=state,
            count=store.count,
            catalogue_count=catalogue_count,
            tail=store.tail,
            deleted=store.deleted,
            **_of_snapshot(store.manifest),
        )


@dataclass(frozen=True, slots=True)
class FeatureIndexStatus:
    """The index of local features by the method `fingerprint`; fields as in `IndexStatus`, `count` of images."""

    fingerprint: str
    state: IndexState
    count: int
    tail: int
    deleted: int
    bytes: int


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The vector index of one detector, compared with the catalogue.

    `state`: `ready`; `missing`: embeddings but no snapshot; `stale`: it does not hold what the catalogue holds;
    `damaged`: the snapshot failed its checksums; `other_detector`: the snapshot is of another detector; `opening`: it
    is being read for the first time. Searches are correct in the states `ready`, `missing` and `damaged`, but slower in
    the last two: they scan all embeddings.

    `count` embeddings are searchable, of which `tail` are not in the snapshot; `deleted` counts rows of the snapshot
    that are no longer searchable. `kind` is `exact` or `ivf` with its `parameters`, its `recall` (recall@10 in [0, 1])
    and the `milliseconds` of one search, both measured when it was built; `built_at` is UTC; `bytes` is the snapshot's
    size. `problem` is the last failure of background work, for a person. `copies`: the index of the copy descriptor,
    None without one or while the state is not known; `features`: the index of local features, None likewise.
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
    copies: CopyIndexStatus | None = None
    features: FeatureIndexStatus | None = None

    @classmethod
    def of(
        cls,
        fingerprint: str,
        view: IndexView | None,
        state: IndexState,
        catalogue_count: int,
        problem: str | None,
        copies: CopyIndexStatus | None,
        features: FeatureIndexStatus | None,
    ) -> "IndexStatus":
        """The status of the state that searches see; `view` None: they see none yet."""
        store = view.vectors if view else None
        return cls(
            fingerprint=fingerprint,
            state=state,
            count=store.count if store else 0,
            catalogue_count=catalogue_count,
            tail=store.tail if store else 0,
            deleted=store.deleted if store else 0,
            snapshot=view.snapshot_id if view else "",
            **_of_snapshot(store.manifest if store else None),
            problem=problem,
            copies=copies,
            features=features,
        )


@dataclass(frozen=True, slots=True)
class IndexVerification:
    """The result of a full verification: `problems` for a person to read, `files` the number of checksums compared,
    `self_queries` the number of stored vectors searched for.
    """

    problems: tuple[str, ...]
    files: int
    self_queries: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def _of_snapshot(manifest: Manifest | None) -> dict[str, Any]:
    """The fields of a status that tell of a snapshot; without one, those of an index that is searched exactly."""
    if manifest is None:
        return {"kind": "exact", "parameters": {}, "recall": None, "milliseconds": None, "built_at": None, "bytes": 0}
    return {
        "kind": manifest.kind,
        "parameters": manifest.parameters,
        "recall": manifest.recall,
        "milliseconds": manifest.milliseconds,
        "built_at": datetime.fromisoformat(manifest.built_at),
        "bytes": manifest.bytes,
    }
