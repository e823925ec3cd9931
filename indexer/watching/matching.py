"""Which new images match a watched picture, by copy or by origin, and how the match is worded."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from indexer.arrays import Vector
from indexer.campaigns.reasons import reason_words
from indexer.catalog.records.campaigns import Reason
from indexer.catalog.records.watches import Arrival, Joined, NewWatchEvent, WatchedPicture
from indexer.copies.verification.overlap import Overlap
from indexer.imaging.content import has_too_little
from indexer.verdict import relations
from indexer.verdict.alterations import alteration_words, seen_from_known
from indexer.verdict.relations import RelationScore
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import Relation

_REASONS = 10
"""Most reasons for a membership that are kept with an event."""


def nearby(picture: WatchedPicture, arrivals: Sequence[Arrival], max_distance: int) -> list[Arrival]:
    """The arrivals that are the same file, or whose PDQ hash is near any of the picture's hashes."""
    if not arrivals:
        return []
    if not picture.hashes:
        return [arrival for arrival in arrivals if arrival.sha256 == picture.sha256]
    theirs = np.frombuffer(b"".join(arrival.pdq for arrival in arrivals), np.uint8).reshape(len(arrivals), 1, -1)
    own = np.frombuffer(b"".join(arrival.bits for arrival in picture.hashes), np.uint8).reshape(
        1, len(picture.hashes), -1
    )
    distances = np.bitwise_count(theirs ^ own).sum(axis=2, dtype=np.int64).min(axis=1)
    pairs = zip(arrivals, distances.tolist(), strict=True)
    return [arrival for arrival, distance in pairs if distance <= max_distance or arrival.sha256 == picture.sha256]


def picture_event(
    picture: WatchedPicture,
    arrival: Arrival,
    vector: Vector | None,
    thresholds: Thresholds,
    overlap: Overlap | None = None,
) -> NewWatchEvent | None:
    """The event for a new image; None when no relation holds that watches report.

    Args:
        picture: the watched one.
        arrival: the new image.
        vector: its embedding by the watch's detector, None where there is none.
        thresholds: what counts.
        overlap: where the watched picture, as the query, and the new one show the same; None where they do not, or
            were not compared. A part that both share is not reported: it would be every post with the same logo.
    """
    scores, bits = [relations.same_file(picture.sha256, arrival.sha256)], None
    blank = has_too_little(arrival.content, arrival.pdq_quality)
    if picture.hashes:
        quality = 0 if blank else arrival.pdq_quality
        scores.append(relations.same_picture(picture.hashes, picture.pdq_quality, arrival.pdq, quality, thresholds))
        bits = scores[-1].value
    copied = None if blank or overlap is None or overlap.relation is not Relation.SAME_PICTURE else overlap
    if copied is not None:
        scores.append(relations.overlapping(copied))
    if picture.vector is not None and vector is not None:
        tells = not blank and relations.embeddings_tell([arrival.content], bits)
        scores.append(relations.same_origin(picture.vector, vector, thresholds, tells=tells))
    holding = next((score for score in scores if score.holds), None)
    if holding is None:
        return None
    evidence: dict[str, object] = {"scores": [_plain(each) for each in scores]}
    if copied is not None:
        evidence["overlap"] = asdict(copied)
    return NewWatchEvent(arrival.sha256, holding.relation, _said(holding, copied), evidence)


def member_event(joined: Joined) -> NewWatchEvent:
    """The event for a new member of a campaign."""
    reasons = joined.reasons[:_REASONS]
    statement = f"joined the campaign with strength {joined.strength:.2f}"
    evidence = {"reasons": [reason_words(reason) for reason in reasons], "why": [_stated(reason) for reason in reasons]}
    return NewWatchEvent(joined.sha256, None, statement, {"strength": joined.strength, **evidence})


def filter_event(arrival: Arrival) -> NewWatchEvent:
    """The event for a new image that meets a filter."""
    return NewWatchEvent(arrival.sha256, None, "meets the watched conditions", {})


def _said(score: RelationScore, overlap: Overlap | None) -> str:
    if score.relation is Relation.SAME_FILE:
        return "the same file as the watched picture"
    if score.measure == "overlap" and overlap is not None:
        words = alteration_words(seen_from_known(overlap))
        alike = f"{score.value:g} features lie alike, at least {score.threshold:g}"
        return f"the same picture as the watched one{f', {words}' if words else ''}: {alike}"
    note = "" if score.note is None else f"; {score.note}"
    if score.relation is Relation.SAME_PICTURE:
        return f"the same picture as the watched one: PDQ distance {score.value:g}, at most {score.threshold:g}{note}"
    band = score.band.value.replace("_", " ")
    return f"may be of the same origin: cosine {score.value:.3f}, at least {score.threshold:g}, {band}{note}"


def _stated(reason: Reason) -> Mapping[str, object]:
    """A reason as plain JSON, without empty fields."""
    return {name: value for name, value in asdict(reason).items() if value is not None and value is not False}


def _plain(score: RelationScore) -> Mapping[str, object]:
    return {name: getattr(value, "value", value) for name, value in asdict(score).items() if value is not None}
