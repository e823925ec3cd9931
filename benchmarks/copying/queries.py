"""Which copies are asked with: each alteration and strength with some of the pictures, ours and AugLy's."""

import json
import random
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.alterations import ALTERATIONS, Family, Strength, alter, augly_pictures
from benchmarks.alterations.kinds import Others
from benchmarks.copying.collection import Pictures
from indexer.errors import UsageError

OURS, AUGLY, UNALTERED = "ours", "augly", "unaltered"
_SCRIPT = Path(augly_pictures.__file__)
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Copy:
    """One altered copy to ask with; `seed` says how chance fell."""

    by: str
    name: str
    strength: int
    sha256: str
    seed: int


def family(by: str, name: str) -> str:
    """The family of an alteration."""
    if name == UNALTERED:
        return UNALTERED
    if by == OURS:
        return ALTERATIONS[name].family.value
    return Family(augly_pictures.ALTERATIONS[name][0]).value


def plan(sha256s: Sequence[str], queries: int, *, with_augly: bool) -> Iterator[Copy]:
    """`queries` copies of every alteration at every strength; the pictures take turns in an order drawn by chance, so
    that many of them are asked with. First the unaltered ones."""
    order = sorted(sha256s)
    random.Random(1).shuffle(order)
    kinds = [(OURS, name) for name in ALTERATIONS]
    kinds += [(AUGLY, name) for name in augly_pictures.ALTERATIONS] if with_augly else []
    for number in range(min(queries, len(order))):
        yield Copy(OURS, UNALTERED, -1, order[number], number)
    turn = 0
    for seed in range(queries):
        for strength in Strength:
            for by, name in kinds:
                yield Copy(by, name, int(strength), order[turn % len(order)], seed)
                turn += 1


class CopyFiles:
    """The files of copies. AugLy's are made by another interpreter, a few hundred at once.

    Args:
        pictures: the originals.
        others: pictures that belong to nobody, for ours.
        folder: where AugLy's pictures are kept.
        augly: the interpreter that has AugLy; None: there are none of its.
    """

    def __init__(self, pictures: Pictures, others: Others, folder: Path, augly: Path | None) -> None:
        self._pictures, self._others, self._folder, self._augly = pictures, others, folder, augly

    def file(self, copy: Copy) -> bytes:
        """The bytes to ask with; those of AugLy must have been `prepare`d.

        Raises:
            UsageError: AugLy did not make it.
        """
        if copy.name == UNALTERED:
            return self._pictures.file(copy.sha256)
        if copy.by == OURS:
            seed = random.Random(f"{copy.seed}:{copy.sha256}").randrange(2**31)
            return alter(copy.name, self._pictures.decoded(copy.sha256), Strength(copy.strength), seed, self._others)
        path = self._path(copy)
        if not path.exists():
            raise UsageError(f"AugLy made no {copy.name} of {copy.sha256[:12]}…: see its message above")
        return path.read_bytes()

    def prepare(self, copies: Sequence[Copy]) -> None:
        """Has AugLy make what is not there yet.

        Raises:
            UsageError: its interpreter cannot be started or fails.
        """
        wanted = [copy for copy in copies if copy.by == AUGLY and not self._path(copy).exists()]
        if not wanted or self._augly is None:
            return
        for start in range(0, len(wanted), _AT_ONCE):
            jobs = [self._job(copy) for copy in wanted[start : start + _AT_ONCE]]
            try:
                subprocess.run(
                    [str(self._augly), str(_SCRIPT)],
                    input="\n".join(jobs),
                    text=True,
                    check=True,
                    stdout=subprocess.PIPE,
                )
            except (OSError, subprocess.CalledProcessError) as error:
                raise UsageError(f"{self._augly} could not make AugLy's pictures: {error}") from error

    def _path(self, copy: Copy) -> Path:
        return self._folder / f"{copy.name}-{copy.strength}-{copy.seed}-{copy.sha256[:16]}.jpg"

    def _job(self, copy: Copy) -> str:
        original = self._folder / "originals" / f"{copy.sha256[:16]}.png"
        if not original.exists():
            original.parent.mkdir(parents=True, exist_ok=True)
            picture = self._pictures.decoded(copy.sha256)
            picture.thumbnail((1280, 1280))
            picture.save(original, compress_level=1)
        behind = self._folder / "originals" / f"other-{copy.seed}.png"
        if not behind.exists():
            self._others(random.Random(copy.seed), (900, 700)).save(behind, compress_level=1)
        return json.dumps(
            {"name": copy.name, "strength": copy.strength, "seed": copy.seed, "picture": str(original),
             "other": str(behind), "to": str(self._path(copy))}
        )  # fmt: skip
