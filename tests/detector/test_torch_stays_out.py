"""Naming, listing and resolving detectors works without loading torch, which takes seconds and gigabytes."""

import subprocess
import sys
from pathlib import Path

from tests.detector.reference_checkpoints import Reference

PROGRAM = """
import sys
from pathlib import Path
import indexer.detector
from indexer.detector import fingerprint, list_detectors, resolve
from indexer.settings import Settings
settings = Settings(home=Path(sys.argv[1]), detector=sys.argv[2])
assert len(list_detectors(settings)) == 3
assert resolve(sys.argv[2], settings).fingerprint
assert resolve("dejafake-small", settings).fingerprint
heavy = {"torch", "timm", "transformers"} & set(sys.modules)
assert not heavy, heavy
"""


def test_listing_and_resolving_do_not_import_torch(tiny: Reference, tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", PROGRAM, str(tmp_path), str(tiny.folder)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
