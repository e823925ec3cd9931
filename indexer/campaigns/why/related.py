"""How near campaigns are to each other, by their exemplars."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from indexer.arrays import Vector
from indexer.calibration import OriginMap
from indexer.campaigns.why.nearness import Traces, cosines, hash_distances, telling
from indexer.catalog.campaigns import exemplars
from indexer.catalog.campaigns.exemplars import Exemplar
from indexer.catalog.detections import embeddings

MOST_CAMPAIGNS = 2_000
"""Other campaigns that one is compared with: the largest."""
MOST_RELATED = 5


@dataclass(frozen=True, slots=True)
class RelatedCampaign:
    """Another campaign and the nearest pair of exemplars (SHA-256). `similarity` is their cosine in [-1, 1], or, where
    embeddings do not count, 1 - distance / 128 of their PDQ hashes, which `pdq_distance` has in bits. `probability` of
    the same origin, by the calibration.
    """

    campaign: str
    name: str
    size: int
    similarity: float
    pdq_distance: int | None
    probability: float | None
    exemplar: str
    other: str


@dataclass(frozen=True, slots=True)
class Exemplars:
    """The exemplars of the largest campaigns, by which campaigns are compared, and their `vectors` (None: no
    embedding).
    """

    rows: tuple[Exemplar, ...]
    vectors: tuple[Vector | None, ...]
    hashes: tuple[bytes | None, ...]


def read_exemplars(session: Session, fingerprint: str | None, pdq_min_quality: int) -> Exemplars:
    """The exemplars of the largest campaigns. `fingerprint`: the detector whose embeddings to compare; None: compare
    hashes.
    """
    rows = exemplars.of_largest(session, MOST_CAMPAIGNS)
    vectors = {} if fingerprint is None else embeddings.vectors(session, fingerprint, [row.image_id for row in rows])
    return Exemplars(
        rows=rows,
        vectors=tuple(vectors.get(row.image_id) for row in rows),
        hashes=tuple(row.pdq if row.pdq_quality >= pdq_min_quality else None for row in rows),
    )


def related_campaigns(
    campaign: str, ours: Sequence[Traces], every: Exemplars, origin: OriginMap | None
) -> tuple[RelatedCampaign, ...]:
    """The other campaigns whose exemplars are nearest to `ours`, the nearest first."""
    places = [position for position, row in enumerate(every.rows) if row.campaign != campaign]
    if not places or not ours:
        return ()
    by_embedding = any(trace.vector is not None for trace in ours)
    bits = np.minimum(*hash_distances([trace.pdq for trace in ours], [every.hashes[position] for position in places]))
    near = 1 - bits / 128
    if by_embedding:
        near = cosines([trace.vector for trace in ours], [every.vectors[position] for position in places]).astype(
            np.float64
        )
        near[~telling(ours, [every.rows[position] for position in places], bits)] = -np.inf
    best = near.argmax(axis=0)
    values = near[best, np.arange(len(places))]
    nearest: dict[str, RelatedCampaign] = {}
    for column in _falling(values):
        row = every.rows[places[column]]
        if row.campaign not in nearest and np.isfinite(values[column]):
            value = float(values[column])
            nearest[row.campaign] = RelatedCampaign(
                campaign=row.campaign,
                name=row.name,
                size=row.size,
                similarity=round(value, 6),
                pdq_distance=None if by_embedding else round((1 - value) * 128),
                probability=round(origin.probability(value), 6) if by_embedding and origin is not None else None,
                exemplar=ours[int(best[column])].sha256,
                other=row.sha256,
            )
        if len(nearest) == MOST_RELATED:
            break
    return tuple(nearest.values())


def _falling(values: npt.NDArray[np.float64]) -> list[int]:
    return [int(index) for index in np.argsort(-values, kind="stable")]
