"""How a known image relates to a query: the score of every relation, which one holds, and how strong the match is."""

from indexer import relations
from indexer.answers import QueryFacts, SearchOptions
from indexer.calibration import CalibrationVersion
from indexer.catalog.records import Image, ImageDetails
from indexer.detector import DetectorSpec
from indexer.errors import UsageError
from indexer.probing import Probe, Vector
from indexer.relations import RelationScore, Thresholds
from indexer.settings import Settings
from indexer.verdict import Match
from indexer.vocabulary import Relation

_RANK = {Relation.SAME_FILE: 0, Relation.SAME_PICTURE: 1, Relation.SAME_ORIGIN: 2}


def thresholds_for(
    options: SearchOptions, settings: Settings, spec: DetectorSpec, calibration: CalibrationVersion | None
) -> Thresholds:
    """What counts as the same picture and the same origin: as the search says, else as was calibrated, else as the
    settings and the detector's description say.

    Raises:
        UsageError: an option is out of range.
    """
    distance, cosine = options.same_picture_max_distance, options.same_origin_min_cosine
    if distance is not None and not 0 <= distance <= 64:
        raise UsageError(f"the largest PDQ distance is 0 to 64, not {distance}")
    if cosine is not None and not -1 <= cosine <= 1:
        raise UsageError(f"the smallest cosine is -1 to 1, not {cosine}")
    origin = None if calibration is None else calibration.calibration.same_origin
    smallest = settings.same_origin_min_cosine
    if smallest is None:
        smallest = spec.same_origin_min_cosine
    if origin is not None:
        smallest = None if origin.suggested is None else origin.suggested.min_cosine
    return Thresholds(
        max_distance=settings.same_picture_max_distance if distance is None else distance,
        min_quality=settings.pdq_min_quality,
        min_cosine=smallest if cosine is None else cosine,
        trained=spec.trained,
        origin=origin,
    )


def match_of(probe: Probe, record: ImageDetails, vector: Vector | None, thresholds: Thresholds) -> Match:
    """A known image as a match: by the first relation that holds, or merely near where none does.

    Args:
        probe: the query.
        record: the image.
        vector: its embedding [384], L2-normalised; None where it has none.
        thresholds: what counts.
    """
    scores = relation_scores(probe, record.image, bytes.fromhex(record.image.pdq), vector, thresholds)
    holding = [score for score in scores if score.holds]
    return Match(
        image=record,
        relation=holding[0].relation if holding else Relation.SAME_ORIGIN,
        holds=bool(holding),
        scores=scores,
    )


def relation_scores(
    probe: Probe, other: QueryFacts | Image, pdq: bytes, vector: Vector | None, thresholds: Thresholds
) -> tuple[RelationScore, ...]:
    """The score of each relation that can be judged by what is known of both, the surest relation first."""
    scores: list[RelationScore] = []
    if probe.facts.sha256 is not None and other.sha256 is not None:
        scores.append(relations.same_file(probe.facts.sha256, other.sha256))
    if probe.hashes:
        scores.append(
            relations.same_picture(probe.hashes, probe.facts.pdq_quality or 0, pdq, other.pdq_quality or 0, thresholds)
        )
    if probe.vector is not None and vector is not None:
        scores.append(relations.same_origin(probe.vector, vector, thresholds))
    return tuple(scores)


def strength(match: Match) -> tuple[float, ...]:
    """Sorts the strongest first: what holds by relation, then the smallest distance, then the highest cosine."""
    by_relation = {score.relation: score for score in match.scores}
    picture, origin = by_relation.get(Relation.SAME_PICTURE), by_relation.get(Relation.SAME_ORIGIN)
    return (
        _RANK[match.relation] if match.holds else len(_RANK),
        picture.value if match.holds and picture and picture.holds else 0.0,
        -origin.value if origin else 0.0,
    )
