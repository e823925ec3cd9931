"""The heads of one detector as files: written whole or not at all, and believed only after every check.

Each lies in a folder of its own that holds `head.json` and `head.safetensors`. Nothing is unpickled.
"""

import hashlib
import json
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from secrets import token_hex
from threading import Lock

import numpy as np
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.numpy import load, save

from indexer.errors import ConflictError, DejafakeError, NotFoundError, WeightsRefusedError
from indexer.heads.head import (
    FORMAT,
    MAX_CLASSES,
    MAX_TEXT,
    Floats,
    Head,
    HeadDescription,
    HeadFinding,
    check_name,
    is_name,
    weights_shape,
)
from indexer.settings import Settings

logger = logging.getLogger(__name__)

DESCRIPTION = "head.json"
WEIGHTS = "head.safetensors"
MOST = 100
"""Most heads of one detector that are asked."""
_MAX_BYTES = {DESCRIPTION: 16 << 20, WEIGHTS: 4 << 20}
_PREFIX = 16
_DESCRIPTION = TypeAdapter(HeadDescription)

Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HeadListing:
    """A head in the folder: its description, or why it is refused."""

    name: str
    description: HeadDescription | None
    fingerprint: str | None
    refused: str | None


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

    @classmethod
    def of(cls, settings: Settings, detector_fingerprint: str) -> "HeadStore":
        """The heads of a detector in this installation."""
        return cls(settings.weights_dir / "heads", detector_fingerprint)

    def check_free(self, name: str, *, replace: bool = False) -> None:
        """Raises ConflictError when there is a head of this name that is not to be replaced, before work is put into
        another; UsageError for a name no head may have."""
        if self._place(name).exists() and not replace:
            raise _taken(name)

    def save(self, description: HeadDescription, weights: Floats, bias: Floats, *, replace: bool = False) -> Head:
        """Keeps a new head, whose description gets the digest of its weights here.

        Raises:
            UsageError: a name no head may have.
            ConflictError: there is a head of this name, and it is not to be replaced.
            DejafakeError: the folder cannot be written.
        """
        target = self._place(description.name)
        data = save({"weights": np.ascontiguousarray(weights), "bias": np.ascontiguousarray(bias)})
        description = replaced(description, weights_sha256=hashlib.sha256(data).hexdigest())
        described = {**description.as_json(), "fingerprint": description.fingerprint}
        text = json.dumps(described, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
        with self._writing():
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
        place = self._place(name)
        if not place.is_dir():
            known = ", ".join(self.names()) or "none yet: make one with `dejafake head train`"
            raise NotFoundError(f"this detector has no head {name}; it has {known}")
        return self._read(name)

    def remove(self, name: str) -> None:
        """Removes a head, sound or not.

        Raises:
            UsageError: a name no head may have.
            NotFoundError: there is none.
            DejafakeError: the folder cannot be written.
        """
        place = self._place(name)
        if not place.is_dir():
            raise NotFoundError(f"this detector has no head {name} to remove")
        with self._writing():
            if place.is_symlink():
                place.unlink()
                return
            aside = self.folder / f".removed-{token_hex(8)}"
            place.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)

    def names(self) -> tuple[str, ...]:
        """The names of the heads in the folder, sorted; at most `MOST`."""
        try:
            with os.scandir(self.folder) as entries:
                found = sorted(entry.name for entry in entries if is_name(entry.name))
        except OSError:
            return ()
        return tuple(found[:MOST])

    def listings(self) -> tuple[HeadListing, ...]:
        """All heads, refused ones with the reason."""
        listings = []
        for name, head in self._current():
            if isinstance(head, Head):
                listings.append(HeadListing(name, head.description, head.fingerprint, None))
            else:
                listings.append(HeadListing(name, None, None, head))
        return tuple(listings)

    def findings(self, embedding: Floats) -> tuple[HeadFinding, ...]:
        """What every sound head says of an embedding [384] of its detector, by name. Files are read again only when
        they changed; a head that is refused is told in the log, once, and never stops a search."""
        return tuple(head.finding(embedding) for _, head in self._current() if isinstance(head, Head))

    def _current(self) -> list[tuple[str, Head | str]]:
        names = self.names()
        with self._reading:
            for gone in self._known.keys() - set(names):
                del self._known[gone]
            for name in names:
                stamp = self._stamp(name)
                if name in self._known and self._known[name][0] == stamp:
                    continue
                try:
                    self._known[name] = (stamp, self._read(name))
                except DejafakeError as error:
                    logger.warning("%s", error)
                    self._known[name] = (stamp, str(error))
            return [(name, self._known[name][1]) for name in names]

    def _stamp(self, name: str) -> Stamp:
        """Changes when the files of a head do."""
        marks: list[int] = []
        for file in (DESCRIPTION, WEIGHTS):
            with suppress(OSError):
                facts = (self.folder / name / file).lstat()
                marks += [facts.st_mtime_ns, facts.st_size, facts.st_ino]
        return tuple(marks)

    def _read(self, name: str) -> Head:
        place = self.folder / name
        try:
            told = json.loads(_bytes(place / DESCRIPTION))
            description = _DESCRIPTION.validate_python(told)
            mark = description.fingerprint
        except (ValueError, RecursionError) as error:  # also of pydantic and of the decoder
            wrong = str(error).splitlines()[0][:120]
            raise _refused(name, f"{DESCRIPTION} is not the description of a head ({wrong})") from None
        if told.get("fingerprint") != mark:
            raise _refused(name, "its description was changed: its fingerprint is another")
        self._check(name, description)
        data = _bytes(place / WEIGHTS)
        if hashlib.sha256(data).hexdigest() != description.weights_sha256:
            raise _refused(name, f"the digest of {WEIGHTS} is not the one in its description: it was changed")
        weights, bias = _tensors(name, data, len(description.classes))
        return Head(description, mark, weights, bias)

    def _check(self, name: str, description: HeadDescription) -> None:
        if description.format != FORMAT:
            raise _refused(name, f"it is of format {description.format}, and this version reads {FORMAT}")
        if description.name != name:
            raise _refused(name, "its description names another head: it was copied or moved")
        if description.detector_fingerprint != self._detector:
            raise _refused(
                name, f"it belongs to the detector {description.detector_fingerprint[:16]!r}, not to the one in use"
            )
        names = [one.name for one in description.classes]
        if not 2 <= len(names) <= MAX_CLASSES or len(set(names)) != len(names):
            raise _refused(name, f"a head has 2 to {MAX_CLASSES} different classes")
        if not all(1 <= len(text) <= MAX_TEXT for text in (*names, description.trained_on)):
            raise _refused(name, f"its names are not texts of 1 to {MAX_TEXT} characters")
        if [len(row) for row in description.confusion] != [len(names)] * len(names):
            raise _refused(name, "its confusion table is not one row and column a class")

    def _place(self, name: str) -> Path:
        return self.folder / check_name(name)

    def _move(self, staging: Path, target: Path, *, replace: bool) -> None:
        if replace and target.is_dir():
            aside = self.folder / f".replaced-{token_hex(8)}"
            target.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
        if target.exists():  # renaming a folder onto an empty one would succeed
            raise _taken(target.name)
        staging.rename(target)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DejafakeError(
                f"{self.folder} cannot be written ({error.strerror or error}): free or mend the disk, or choose "
                "another place with DEJAFAKE_MODELS_DIR"
            ) from None


def _taken(name: str) -> ConflictError:
    return ConflictError(
        f"there is a head {name} already: give --replace, choose another --name, or remove it with "
        f"`dejafake head remove {name}`"
    )


def _refused(name: str, why: str) -> WeightsRefusedError:
    return WeightsRefusedError(
        f"the head {name} is not used: {why}; remove it with `dejafake head remove {name}` and train it again"
    )


def _bytes(path: Path) -> bytes:
    """The bytes of a plain file of bearable size."""
    name = path.parent.name
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _MAX_BYTES[path.name]:
            raise _refused(name, f"{path.name} is not a plain file of at most {_MAX_BYTES[path.name]:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise _refused(name, f"{path.name} cannot be read ({error.strerror or error})") from None


def _tensors(name: str, data: bytes, classes: int) -> tuple[Floats, Floats]:
    try:
        tensors = load(data)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _refused(name, f"{WEIGHTS} is not a safetensors file ({str(error)[:80]})") from None
    if {key: one.shape for key, one in tensors.items()} != weights_shape(classes):
        raise _refused(name, f"its tensors do not have the shapes of a head of {classes} classes")
    if any(one.dtype != np.float32 or not np.isfinite(one).all() for one in tensors.values()):
        raise _refused(name, "its numbers are not finite float32")
    return tensors["weights"], tensors["bias"]


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
