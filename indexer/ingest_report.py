"""What an ingest is asked to do and what it reports: options, the outcome of each item, and their sum."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from indexer.vocabulary import LabelSource, LabelValue, Technique


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """What to add to what the source itself says. `label`, `technique` and `generator` hold where a source is silent.

    `stated_by` names who vouches for the labels (None: the source's own name) and `source_kind` what kind of source
    that is; an imported list is a feed, so that a person's later label wins over it. `list_rejected`: rejected items
    are written to a file; a caller that shows each outcome itself needs none.
    """

    collections: tuple[str, ...] = ()
    label: LabelValue | None = None
    technique: Technique = Technique.UNKNOWN
    generator: str | None = None
    stated_by: str | None = None
    source_kind: LabelSource = LabelSource.TRUSTED_FEED
    list_rejected: bool = True


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one item. `status` is `added`, `known` or `rejected`; a rejected one has `reason` and `message`.

    `disputed`: the image now carries labels that disagree.
    """

    source: str
    location: str
    status: str
    sha256: str | None = None
    reason: str | None = None
    message: str | None = None
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did, in items.

    `known`: their image was in the catalogue already; `disputed`: their image carries labels that disagree.
    `rejected_file` lists every rejected item with its reason, one JSON object a line; None when there is none.
    `seconds` is wall time.
    """

    seen: int
    added: int
    known: int
    rejected: int
    disputed: int
    labels_added: int
    sightings_added: int
    rejected_file: Path | None
    seconds: float


class Tally:
    """Counts outcomes and writes the list of rejected files, which exists only if there is something in it."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is where the list goes, None to write none."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        self._path = None if folder is None else folder / f"rejected-{stamp}.jsonl"
        self._file: IO[str] | None = None
        self._counts = {"added": 0, "known": 0, "rejected": 0}
        self._disputed = 0
        self.labels = 0
        self.sightings = 0

    def count(self, outcome: ItemOutcome) -> None:
        """Counts an item, and lists it if it was rejected."""
        self._counts[outcome.status] += 1
        self._disputed += outcome.disputed
        if outcome.status != "rejected" or self._path is None:
            return
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("x", encoding="utf-8")
        row = {key: getattr(outcome, key) for key in ("source", "location", "reason", "message")}
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the list."""
        if self._file is not None:
            self._file.close()

    def report(self, seconds: float) -> IngestReport:
        """The sum of what was counted."""
        return IngestReport(
            seen=sum(self._counts.values()),
            **self._counts,
            disputed=self._disputed,
            labels_added=self.labels,
            sightings_added=self.sightings,
            rejected_file=None if self._file is None else self._path,
            seconds=seconds,
        )
