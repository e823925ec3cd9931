"""A folder for what must be read again later and cannot be from where it was."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from weakref import finalize


class Spool:
    """A temporary `folder` that vanishes with this object, or when the process ends."""

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="dejafake-"))
        finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
