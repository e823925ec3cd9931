"""What clients get of detectors and copy descriptors."""

from pydantic import BaseModel

from indexer.catalog.records.copies import DescriptorEntry
from indexer.catalog.records.detections import DetectorEntry
from indexer.copies.descriptor import DescriptorListing
from indexer.detector import DetectorListing


class Detectors(BaseModel):
    """Detectors. `in_use` is the fingerprint of the one this server works with."""

    in_use: str
    known: tuple[DetectorListing, ...]
    in_catalogue: tuple[DetectorEntry, ...]


class Descriptors(BaseModel):
    """Copy descriptors. `in_use` is the fingerprint of the one this server works with, null where there is none;
    `problem` says why there is none although the settings want one."""

    in_use: str | None
    problem: str | None
    known: tuple[DescriptorListing, ...]
    in_catalogue: tuple[DescriptorEntry, ...]
