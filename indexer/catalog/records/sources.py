"""Records of where an image's bytes came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NewSource:
    """Where the bytes came from: the ingested `source` (folder, manifest, archive), the `location` inside it (relative
    path or row), and the manifest's columns that dejafake does not know, kept verbatim."""

    source: str
    location: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an image's bytes came from."""

    source: str
    location: str
    fields: Mapping[str, str]
