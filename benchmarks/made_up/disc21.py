"""A small folder of DISC21's layout: references, queries of which half are copies, a training set, the truth."""

import random
from pathlib import Path

from benchmarks.alterations import ALTERATIONS, Strength, alter
from benchmarks.alterations.drawing import nobodys
from indexer.errors import UsageError

SIZE = (320, 240)


def make(folder: Path, *, references: int = 40, queries: int = 24, training: int = 40) -> None:
    """Makes it; every second query is a copy, altered weakly, the rest are distractors.

    Raises:
        UsageError: there is something in the folder already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty: --made-up makes a folder of its own")
    for kind, letter, count in (("references", "R", references), ("training", "T", training)):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            picture = nobodys(random.Random(f"{letter}{number}"), SIZE)
            picture.save(folder / kind / f"{letter}{number:06}.jpg", "JPEG", quality=90)
    (folder / "queries").mkdir()
    names, lines = list(ALTERATIONS), ["query_id,reference_id"]
    for number in range(queries):
        copied = number % 2 == 0
        origin = f"R{number % references}" if copied else f"Q{number}"
        name = names[number % len(names)]
        data = alter(name, nobodys(random.Random(origin), SIZE), Strength.WEAK, number)
        (folder / "queries" / f"Q{number:05}.jpg").write_bytes(data)
        lines.append(f"Q{number:05},R{number % references:06}" if copied else f"Q{number:05},")
    (folder / "public_ground_truth.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
