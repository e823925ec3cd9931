"""What an ingest is asked to do and what it reports: options, the outcome of each item, and their sum."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from indexer.files.row_lists import RowList
from indexer.sources.items import Remark, printable
from indexer.sources.label_words import LONGEST_WORD, MOST_WORDS, WordCount, WordTally
from indexer.vocabulary import ItemStatus, LabelSource, LabelValue, Technique


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

    `disputed`: the image now carries labels that disagree. `remarks`: what its source says that was not taken as it
    stands.
    """

    source: str
    location: str
    status: ItemStatus
    sha256: str | None = None
    reason: str | None = None
    message: str | None = None
    disputed: bool = False
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did, in items.

    `known`: their image was in the catalogue already; `disputed`: their image carries labels that disagree.
    `rejected_file` lists every rejected item with its reason, one JSON object a line; None when there is none.
    `remarks`: kind -> how often something was not taken as it stands (a time that cannot be read); `remarks_file` lists
    them in the same way. `skipped`: reason -> how many things in the source are no pictures; they count in nothing
    else. `seconds` is wall time. `label_words`: the words that stood for labels, how often, and as what each was
    understood. `unknown_techniques`: words for a technique that are not in the vocabulary -> how often.
    """

    seen: int
    added: int
    known: int
    rejected: int
    disputed: int
    labels_added: int
    sightings_added: int
    rejected_file: Path | None
    remarks: Mapping[str, int]
    remarks_file: Path | None
    skipped: Mapping[str, int]
    seconds: float
    label_words: tuple[WordCount, ...] = ()
    unknown_techniques: Mapping[str, int] = field(default_factory=dict)


def _json_lines(rows: Iterable[Mapping[str, str | None]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


class Tally:
    """Counts outcomes, remarks and what was passed over, and lists what was rejected or remarked."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is where the lists go, None to write none."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        self._rejected = RowList(None if folder is None else folder / f"rejected-{stamp}.jsonl", _json_lines)
        self._remarked = RowList(None if folder is None else folder / f"remarks-{stamp}.jsonl", _json_lines)
        self._counts = dict.fromkeys(ItemStatus, 0)
        self._disputed = 0
        self._remarks: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self.labels = 0
        self.sightings = 0
        self.words = WordTally()
        self._techniques: Counter[str] = Counter()

    def count(self, outcome: ItemOutcome) -> None:
        """Counts an item, and lists it if it was rejected or remarked upon."""
        self._counts[outcome.status] += 1
        self._disputed += outcome.disputed
        origin = {"source": outcome.source, "location": outcome.location}
        if outcome.status is ItemStatus.REJECTED:
            self._rejected.add([{**origin, "reason": outcome.reason, "message": outcome.message}])
        for remark in outcome.remarks:
            self._remarks[remark.kind] += 1
            self._remarked.add([{**origin, "kind": remark.kind, "message": remark.message}])

    def technique(self, word: str) -> None:
        """Counts a word for a technique that is not in the vocabulary."""
        shown = printable(word)[:LONGEST_WORD]
        known = shown in self._techniques or len(self._techniques) < MOST_WORDS
        self._techniques[shown if known else "other words"] += 1

    def skip(self, reason: str) -> None:
        """Counts something that is no picture."""
        self._skipped[reason] += 1

    def report(self, seconds: float) -> IngestReport:
        """The sum of what was counted."""
        return IngestReport(
            seen=sum(self._counts.values()),
            **self._counts,
            disputed=self._disputed,
            labels_added=self.labels,
            sightings_added=self.sightings,
            rejected_file=self._rejected.path,
            remarks=dict(sorted(self._remarks.items())),
            remarks_file=self._remarked.path,
            skipped=dict(sorted(self._skipped.items())),
            seconds=seconds,
            label_words=self.words.counts(),
            unknown_techniques=dict(self._techniques.most_common()),
        )
