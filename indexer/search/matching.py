"""How a known image relates to a query: the score of every relation, which one holds, and how strong the match is."""

from dataclasses import dataclass

from indexer.arrays import Vector
from indexer.catalog.records.images import Image, ImageDetails
from indexer.copies.verification.overlap import Overlap
from indexer.imaging.content import has_too_little
from indexer.search.answers import QueryFacts
from indexer.search.probe import Probe
from indexer.verdict import relations
from indexer.verdict.matches import Match
from indexer.verdict.relations import RelationScore
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import Relation

_RANK = {"sha256": 0, "pdq_distance": 1, "overlap": 2, "copy_cosine": 3, "cls_cosine": 5}
"""Of what a relation rests on; a shared part, though it is an overlap too, comes before likeness."""
_SHARED_PART = 4


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is compared of a known picture beside its hashes, None where there is none of it: its embeddings by the
    detector [384] and the copy descriptor [D], L2-normalised, and what comparing its local features with the query's
    showed."""

    vector: Vector | None = None
    copy_vector: Vector | None = None
    overlap: Overlap | None = None


def match_of(probe: Probe, record: ImageDetails, known: Known, thresholds: Thresholds) -> Match:
    """A known image as a match: by the first relation that holds, or merely near where none does.

    Args:
        probe: the query.
        record: the image.
        known: what else is compared of it.
        thresholds: what counts.
    """
    scores = relation_scores(probe, record.image, bytes.fromhex(record.image.pdq), known, thresholds)
    holding = [score for score in scores if score.holds]
    return Match(
        image=record,
        relation=holding[0].relation if holding else Relation.SAME_ORIGIN,
        holds=bool(holding),
        scores=scores,
        overlap=known.overlap if any(score.measure == "overlap" for score in scores) else None,
    )


def relation_scores(
    probe: Probe, other: QueryFacts | Image, pdq: bytes, known: Known, thresholds: Thresholds
) -> tuple[RelationScore, ...]:
    """The score of each relation that can be judged by what is known of both, the surest relation first."""
    scores: list[RelationScore] = []
    blank, bits = has_too_little(other.content, other.pdq_quality), None
    if probe.facts.sha256 is not None and other.sha256 is not None:
        scores.append(relations.same_file(probe.facts.sha256, other.sha256))
    if probe.hashes:
        quality = 0 if blank else other.pdq_quality or 0
        scores.append(relations.same_picture(probe.hashes, probe.facts.pdq_quality or 0, pdq, quality, thresholds))
        bits = scores[-1].value
    tells = not blank and relations.embeddings_tell((probe.facts.content, other.content), bits)
    overlap = None if blank else known.overlap
    if overlap is not None:
        scores.append(relations.overlapping(overlap))
    if probe.copies is not None and known.copy_vector is not None:
        copied = probe.copies.score(known.copy_vector)
        scores.append(relations.likely_copy(copied, thresholds, overlap, tells=tells))
    if probe.vector is not None and known.vector is not None:
        scores.append(relations.same_origin(probe.vector, known.vector, thresholds, tells=tells))
    return tuple(scores)


def strength(match: Match) -> tuple[float, ...]:
    """Sorts the strongest first: what holds by relation and by what that rests on, then the smallest distance, the most
    features that lie alike and the highest copy score, then the highest cosine."""
    values = {score.measure: score.value for score in match.scores}
    origin = -values.get("cls_cosine", 0.0)
    if not match.holds:
        return (float(len(_RANK) + 1), 0.0, origin)
    rank = _SHARED_PART if match.relation is Relation.SHARES_PART else _RANK[match.score.measure]
    nearest = match.score.value if match.score.measure == "pdq_distance" else -match.score.value
    holding = {score.measure for score in match.scores if score.holds}
    if match.relation is Relation.SAME_FILE:
        nearest = values["pdq_distance"] if "pdq_distance" in holding else 0.0
    return (float(rank), nearest, origin)
