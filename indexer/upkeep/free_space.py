"""How much room is left on the disk of the home folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from indexer.settings import MIB

FEW_BYTES: Final = 500 * MIB
"""With no more free bytes than this, people are warned."""


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The file system of the home folder: `free` and `total` bytes. `low`: no more than 500 MiB are free."""

    free: int
    total: int
    low: bool


def disk_space(home: Path) -> DiskSpace | None:
    """The space on the disk of `home`; None where the system does not tell."""
    try:
        usage = shutil.disk_usage(home)
    except OSError:
        return None
    return DiskSpace(usage.free, usage.total, usage.free <= FEW_BYTES)
