"""Records of hash lists that other parties keep."""

from dataclasses import dataclass
from datetime import datetime

from indexer.vocabulary import (
    HashAlgorithm,
    LabelValue,
)


@dataclass(frozen=True, slots=True)
class HashList:
    """A list of hashes kept by another party. `label`: the label of all of them; `hashes`: how many it holds."""

    name: str
    label: LabelValue
    hashes: int
    added_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ListedHash:
    """A hash of the list `source`, without a picture. `value` is 64 hex digits."""

    algorithm: HashAlgorithm
    value: str
    source: str
    label: LabelValue
    added_at: datetime
