"""How old_head.zip was made: with the code of commit 03aab8e, when every figure of a head had an interval.

In a checkout of that commit, with its folder tests/heads beside: `PYTHONPATH=tests/heads python make_old_head.py
old_head.zip`. It is not run by the tests, and does not run on newer code.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

from indexer.head_training import train_head
from planted_heads import bundled, planted

from indexer.heads import HeadStore


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = train_head(planted(12), "generator", bundled(Path(folder)), name="generators")
        store = HeadStore(Path(folder) / "heads", made.description.detector_fingerprint)
        store.save(made.description, made.weights, made.bias)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted((Path(folder) / "heads").rglob("*")):
                if path.is_file():
                    packed.write(path, str(path.relative_to(folder)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
