"""Which of some new images a watched picture is, or is of the same origin as, and how that is said."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from indexer import relations
from indexer.catalog.watch_records import Arrival, Joined, NewWatchEvent, WatchedPicture
from indexer.relations import RelationScore, Thresholds
from indexer.vocabulary import Relation

Vector = npt.NDArray[np.float32]

_REASONS = 10
"""Most reasons for a membership that are kept with an event, and most characters of each."""
_REASON_LENGTH = 300


def nearby(picture: WatchedPicture, arrivals: Sequence[Arrival], max_distance: int) -> list[Arrival]:
    """Those that are the same file, or whose PDQ hash is near in any orientation."""
    if not arrivals:
        return []
    theirs = np.frombuffer(b"".join(one.pdq for one in arrivals), np.uint8).reshape(len(arrivals), 1, -1)
    own = np.frombuffer(b"".join(bits for _, bits in picture.hashes), np.uint8).reshape(1, len(picture.hashes), -1)
    distances = np.bitwise_count(theirs ^ own).sum(axis=2, dtype=np.int64).min(axis=1)
    pairs = zip(arrivals, distances.tolist(), strict=True)
    return [one for one, distance in pairs if distance <= max_distance or one.sha256 == picture.sha256]


def picture_event(
    picture: WatchedPicture, found: Arrival, vector: Vector | None, thresholds: Thresholds
) -> NewWatchEvent | None:
    """What to report of a new image, `vector` its embedding by the watch's detector; None when no relation holds."""
    scores = [
        relations.same_file(picture.sha256, found.sha256),
        relations.same_picture(picture.hashes, picture.pdq_quality, found.pdq, found.pdq_quality, thresholds),
    ]
    if picture.vector is not None and vector is not None:
        scores.append(relations.same_origin(picture.vector, vector, thresholds))
    holding = next((score for score in scores if score.holds), None)
    if holding is None:
        return None
    return NewWatchEvent(found.sha256, holding.relation, _said(holding), {"scores": [_plain(one) for one in scores]})


def member_event(joined: Joined) -> NewWatchEvent:
    """What to report of a new member of a campaign."""
    reasons = [reason[:_REASON_LENGTH] for reason in joined.reasons[:_REASONS]]
    said = f"joined the campaign with strength {joined.strength:.2f}"
    return NewWatchEvent(joined.sha256, None, said, {"strength": joined.strength, "reasons": reasons})


def filter_event(found: Arrival) -> NewWatchEvent:
    """What to report of a new image that meets a filter."""
    return NewWatchEvent(found.sha256, None, "meets the watched conditions", {})


def _said(score: RelationScore) -> str:
    if score.relation is Relation.SAME_FILE:
        return "the same file as the watched picture"
    note = "" if score.note is None else f"; {score.note}"
    if score.relation is Relation.SAME_PICTURE:
        return f"the same picture as the watched one: PDQ distance {score.value:g}, at most {score.threshold:g}{note}"
    band = score.band.value.replace("_", " ")
    return f"may be of the same origin: cosine {score.value:.3f}, at least {score.threshold:g}, {band}{note}"


def _plain(score: RelationScore) -> Mapping[str, object]:
    return {name: getattr(value, "value", value) for name, value in asdict(score).items() if value is not None}
