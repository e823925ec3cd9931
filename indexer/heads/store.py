"""The heads of one detector as files, written atomically and checked on reading.

Each head has a folder with `head.json` and `head.safetensors`. A head that replaces another stores its weights under
their digest, so that renaming `head.json` into place switches heads in one step. Nothing is unpickled.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from secrets import token_hex
from threading import Lock
from time import monotonic, time_ns

import numpy as np
from safetensors.numpy import save

from indexer.arrays import Floats
from indexer.errors import ConflictError, DejafakeError, NotFoundError
from indexer.heads.head import Head, HeadDescription, HeadFinding, check_name, is_name
from indexer.heads.reading import DESCRIPTION, WEIGHTS, read_head, weights_name
from indexer.settings import Settings

logger = logging.getLogger(__name__)

MOST = 100
"""Most heads of one detector. Every search runs all of them."""
_CHECKED_EVERY = 1.0
"""Seconds after which the files of all heads are checked again even if their folder did not change."""
_SETTLED = 100_000_000
"""Nanoseconds after which a later change is sure to change a folder's modification time."""
_PREFIX = 16

Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HeadListing:
    """A head in the folder: its description, or why it cannot be used."""

    name: str
    description: HeadDescription | None
    fingerprint: str | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class _View:
    """The heads as read. Valid while the folder has this stamp, and until this value of `monotonic`."""

    stamp: Stamp
    until: float
    heads: tuple[tuple[str, Head | str], ...]


class HeadStore:
    """The heads of one detector. Threads and processes may share the folder.

    Args:
        folder: where the heads of all detectors are kept.
        detector_fingerprint: whose.
    """

    def __init__(self, folder: Path, detector_fingerprint: str) -> None:
        self.folder = folder / detector_fingerprint[:_PREFIX]
        self._detector = detector_fingerprint
        self._known: dict[str, tuple[Stamp, Head | str]] = {}
        self._reading = Lock()
        self._view: _View | None = None

    @classmethod
    def of(cls, settings: Settings, detector_fingerprint: str) -> "HeadStore":
        """The heads of a detector in this installation."""
        return cls(settings.weights_dir / "heads", detector_fingerprint)

    def check_free(self, name: str, *, replace: bool = False) -> None:
        """Checks, before training starts, that a head of this name can be saved. Raises ConflictError if the name is
        taken or there are too many heads, UsageError if the name is not valid."""
        there = self._place(name).exists()
        if there and not replace:
            raise _taken(name)
        if not there and len(self.names()) >= MOST:
            raise ConflictError(
                f"this detector has {MOST} heads, which is the most: remove one with `dejafake head remove NAME`, or "
                f"replace one with --name and --replace"
            )

    def save(self, description: HeadDescription, weights: Floats, bias: Floats, *, replace: bool = False) -> Head:
        """Saves a new head, with the digest of its weights in its description.

        Raises:
            UsageError: a name no head may have.
            ConflictError: there is a head of this name, and it is not to be replaced; or there are too many.
            DejafakeError: the folder cannot be written.
        """
        self.check_free(description.name, replace=replace)
        target = self._place(description.name)
        data = save({"weights": np.ascontiguousarray(weights), "bias": np.ascontiguousarray(bias)})
        description = replaced(description, weights_sha256=hashlib.sha256(data).hexdigest())
        described = {**description.as_json(), "fingerprint": description.fingerprint}
        text = json.dumps(described, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
        with self._writing():
            if replace and target.is_dir() and not target.is_symlink():
                self._take_place(target, data, text.encode("ascii"))
                return self.load(description.name)
            staging = self.folder / f".making-{token_hex(8)}"
            staging.mkdir(parents=True)
            try:
                _write(staging / WEIGHTS, data)
                _write(staging / DESCRIPTION, text.encode("ascii"))
                self._move(staging, target, replace=replace)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        return self.load(description.name)

    def load(self, name: str) -> Head:
        """The head of this name, after every check.

        Raises:
            UsageError: a name no head may have.
            NotFoundError: there is none.
            WeightsRefusedError: its files are damaged, were changed, or are of another detector.
        """
        folder = self._place(name)
        if not folder.is_dir():
            known = ", ".join(self.names()[:20]) or "none yet: make one with `dejafake head train`"
            raise NotFoundError(f"this detector has no head {name}; it has {known}")
        return self._read(name)

    def remove(self, name: str) -> None:
        """Removes a head, sound or not.

        Raises:
            UsageError: a name no head may have.
            NotFoundError: there is none.
            DejafakeError: the folder cannot be written.
        """
        folder = self._place(name)
        if not folder.is_dir():
            raise NotFoundError(f"this detector has no head {name} to remove")
        with self._writing():
            if folder.is_symlink():
                folder.unlink()
                return
            aside = self.folder / f".removed-{token_hex(8)}"
            folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)

    def names(self) -> tuple[str, ...]:
        """The names of all heads in the folder, sorted."""
        try:
            with os.scandir(self.folder) as entries:
                names = sorted(entry.name for entry in entries if is_name(entry.name))
        except OSError:
            return ()
        return tuple(names)

    def listings(self) -> tuple[HeadListing, ...]:
        """All heads; those that cannot be used, or exceed the limit, with the reason."""
        listings = []
        for name, head in self._current():
            if isinstance(head, Head):
                listings.append(HeadListing(name, head.description, head.fingerprint, None))
            else:
                listings.append(HeadListing(name, None, None, head))
        return (*listings, *(HeadListing(name, None, None, str(_too_many(name))) for name in self.names()[MOST:]))

    def findings(self, embedding: Floats) -> tuple[HeadFinding, ...]:
        """What every sound head says of an embedding [384] of its detector, by name. Files are read again only when
        they changed; a head that cannot be used is logged once and never stops a search."""
        return tuple(head.finding(embedding) for _, head in self._current() if isinstance(head, Head))

    def _current(self) -> tuple[tuple[str, Head | str], ...]:
        """The heads to run, each read or with the reason it cannot be. While nothing changes this costs one `stat` of
        the folder and no lock."""
        stamp = _stamp(self.folder)
        view = self._view
        if view is not None and view.stamp == stamp and monotonic() < view.until:
            return view.heads
        with self._reading:
            settled = bool(stamp) and time_ns() - stamp[0] > _SETTLED
            heads = self._looked_through(self.names())
            self._view = _View(stamp, monotonic() + _CHECKED_EVERY if settled else 0.0, heads)
            return heads

    def _looked_through(self, names: tuple[str, ...]) -> tuple[tuple[str, Head | str], ...]:
        asked, rest = names[:MOST], names[MOST:]
        for gone in self._known.keys() - set(names):
            del self._known[gone]
        for name in rest:
            if name not in self._known:
                logger.warning("%s", _too_many(name))
                self._known[name] = ((), str(_too_many(name)))
        for name in asked:
            folder = self.folder / name
            stamp = (*_stamp(folder), *_stamp(folder / DESCRIPTION), *_stamp(folder / WEIGHTS))
            if name in self._known and self._known[name][0] == stamp:
                continue
            try:
                self._known[name] = (stamp, self._read(name))
            except DejafakeError as error:
                logger.warning("%s", error)
                self._known[name] = (stamp, str(error))
        return tuple((name, self._known[name][1]) for name in asked)

    def _read(self, name: str) -> Head:
        return read_head(self.folder / name, self._detector)

    def _place(self, name: str) -> Path:
        return self.folder / check_name(name)

    def _take_place(self, target: Path, data: bytes, described: bytes) -> None:
        """Replaces a head. Readers see either the old one or the new one at any moment."""
        own = target / weights_name(hashlib.sha256(data).hexdigest())
        for path, content in ((own, data), (target / DESCRIPTION, described)):
            beside = target / f".making-{token_hex(8)}"
            try:
                _write(beside, content)
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)
        for path in target.iterdir():
            if path.name not in (own.name, DESCRIPTION):
                path.unlink(missing_ok=True)
        os.utime(self.folder)  # others look at its time

    def _move(self, staging: Path, target: Path, *, replace: bool) -> None:
        if replace and (target.is_symlink() or target.is_file()):  # no head that was ever read
            target.unlink()
        if target.exists():  # renaming a folder onto an empty one would succeed
            raise _taken(target.name)
        staging.rename(target)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DejafakeError(
                f"{self.folder} cannot be written ({error.strerror or error}): free some space or check the disk, or "
                f"choose "
                "another place with DEJAFAKE_MODELS_DIR"
            ) from None


def _stamp(path: Path) -> Stamp:
    """Changes when the file, or the folder's content, changes; empty if it does not exist."""
    try:
        facts = path.lstat()
    except OSError:
        return ()
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def _too_many(name: str) -> ConflictError:
    return ConflictError(f"the head {name} is not asked: only the first {MOST} by name are; remove some of them")


def _taken(name: str) -> ConflictError:
    return ConflictError(
        f"there is a head {name} already: give --replace, choose another --name, or remove it with "
        f"`dejafake head remove {name}`"
    )


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
