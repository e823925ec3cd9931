"""What other people's hash lists say of a query: entries for its file, and for pictures near it. No picture is held."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from indexer import relations
from indexer.catalog import hash_lists
from indexer.catalog.records import ImageFilter, ListedHash
from indexer.index import SearchIndex
from indexer.relations import RelationScore, Thresholds
from indexer.vocabulary import Relation

MOST = 50
"""Entries near a picture that are looked at, nearest first."""


@dataclass(frozen=True, slots=True)
class ListedMatch:
    """An entry of a hash list and how it belongs to the query: `same_file` by SHA-256, or `same_picture` by PDQ."""

    entry: ListedHash
    relation: Relation
    score: RelationScore


def listed_matches(
    session: Session,
    index: SearchIndex,
    wanted: ImageFilter,
    *,
    sha256: str | None,
    hashes: Sequence[tuple[str, bytes]],
    quality: int,
    thresholds: Thresholds,
) -> tuple[ListedMatch, ...]:
    """The entries that a query matches, the same file first, then by rising PDQ distance and by list.

    A list says nothing of an entry but its label: under a filter by anything else there are no matches.

    Args:
        sha256: of the query's bytes, None when there are none.
        hashes: the query's PDQ hash in each orientation (name, 32 bytes).
        quality: of these hashes; below the smallest of `thresholds` they are not compared.
    """
    if not index.knows_lists or wanted != ImageFilter(label=wanted.label):
        return ()
    found = []
    if sha256 is not None:
        same = relations.same_file(sha256, sha256)
        found += [ListedMatch(entry, Relation.SAME_FILE, same) for entry in hash_lists.with_sha256(session, sha256)]
    if hashes and quality >= thresholds.min_quality:
        hits = index.listed_picture([bits for _, bits in hashes], thresholds.max_distance)
        nearest = list(dict.fromkeys(hit.image_id for hit in hits))[:MOST]
        near = []
        for entry in hash_lists.by_id(session, nearest).values():
            bits = bytes.fromhex(entry.value)
            score = relations.same_picture(hashes, quality, bits, hash_lists.TRUSTED_QUALITY, thresholds)
            near.append(ListedMatch(entry, Relation.SAME_PICTURE, score))
        found += sorted(near, key=lambda match: (match.score.value, match.entry.source, match.entry.value))
    return tuple(match for match in found if wanted.label in (None, match.entry.label))
