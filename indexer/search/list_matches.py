"""What other people's hash lists say of a query: entries for its file, and for pictures near it. No picture is held.

A verdict counts all of them; `shown` is what a filter leaves of them in the answer.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from indexer.catalog import hash_lists
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.hash_lists import ListedHash
from indexer.index import IndexView
from indexer.search.candidates import Asked
from indexer.verdict import relations
from indexer.verdict.matches import ListedMatch
from indexer.vocabulary import LabelValue, Relation

MOST = 50
"""Entries near a picture that are looked at, nearest first, of lists of each label."""


def listed_matches(session: Session, view: IndexView, asked: Asked) -> tuple[ListedMatch, ...]:
    """The entries that a query matches, the same file first, then by rising PDQ distance and by list."""
    if not view.knows_lists:
        return ()
    matches = []
    sha256, hashes = asked.probe.facts.sha256, asked.probe.hashes
    if sha256 is not None:
        same = relations.same_file(sha256, sha256)
        matches += [ListedMatch(entry, Relation.SAME_FILE, same) for entry in hash_lists.with_sha256(session, sha256)]
    if hashes and asked.readable:
        quality, thresholds = asked.probe.facts.pdq_quality or 0, asked.thresholds
        hits = view.listed_picture([query_hash.bits for query_hash in hashes], thresholds.max_distance)
        near = []
        for entry in _of_every_label(session, [*dict.fromkeys(hit.image_id for hit in hits)]):
            bits = bytes.fromhex(entry.value)
            score = relations.same_picture(hashes, quality, bits, hash_lists.TRUSTED_QUALITY, thresholds)
            near.append(ListedMatch(entry, Relation.SAME_PICTURE, score))
        matches += sorted(near, key=lambda match: (match.score.value, match.entry.source, match.entry.value))
    return tuple(matches)


def shown(matches: Sequence[ListedMatch], image_filter: ImageFilter) -> tuple[ListedMatch, ...]:
    """Those that meet a filter. A list says nothing of an entry but its label: none meets a filter by anything else."""
    if image_filter != ImageFilter(label=image_filter.label):
        return ()
    return tuple(match for match in matches if image_filter.label in (None, match.entry.label))


def _of_every_label(session: Session, nearest: Sequence[int]) -> Iterator[ListedHash]:
    """The nearest entries of lists of each label: many of one must not hide another."""
    entries = hash_lists.by_id(session, nearest)
    taken: Counter[LabelValue] = Counter()
    for entry in (entries[number] for number in nearest if number in entries):
        taken[entry.label] += 1
        if taken[entry.label] <= MOST:
            yield entry
