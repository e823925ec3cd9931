"""How campaigns lie to each other, by the images that stand for them: which are near, and how far apart they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from indexer.calibration import OriginMap
from indexer.campaigns.why.nearness import Traces, Vector, cosines, hash_distances
from indexer.catalog import embeddings, exemplars
from indexer.catalog.exemplars import Exemplar

MOST_CAMPAIGNS = 2_000
"""Other campaigns that one is compared with: the largest."""
MOST_RELATED = 5


@dataclass(frozen=True, slots=True)
class RelatedCampaign:
    """Another campaign and the nearest pair of exemplars (SHA-256). `similarity` is their cosine in [-1, 1], or, where
    embeddings do not count, 1 - distance / 128 of their PDQ hashes, which `pdq_distance` has in bits. `probability`
    of the same origin, as a calibration measured it."""

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
    """What campaigns are compared by: the exemplars of the largest, and their `vectors` (None: no embedding)."""

    rows: tuple[Exemplar, ...]
    vectors: tuple[Vector | None, ...]
    hashes: tuple[bytes | None, ...]


def read_exemplars(session: Session, fingerprint: str | None, pdq_min_quality: int) -> Exemplars:
    """The exemplars of the largest campaigns. `fingerprint`: whose embeddings count; None: none, hashes do."""
    rows = exemplars.of_largest(session, MOST_CAMPAIGNS)
    known = {} if fingerprint is None else embeddings.vectors(session, fingerprint, [row.image_id for row in rows])
    return Exemplars(
        rows=rows,
        vectors=tuple(known.get(row.image_id) for row in rows),
        hashes=tuple(row.pdq if row.pdq_quality >= pdq_min_quality else None for row in rows),
    )


def related_campaigns(
    campaign: str, ours: Sequence[Traces], every: Exemplars, origin: OriginMap | None
) -> tuple[RelatedCampaign, ...]:
    """The other campaigns whose exemplars are nearest to `ours`, the nearest first."""
    places = [place for place, row in enumerate(every.rows) if row.campaign != campaign]
    if not places or not ours:
        return ()
    by_embedding = any(one.vector is not None for one in ours)
    if by_embedding:
        near = cosines([one.vector for one in ours], [every.vectors[place] for place in places]).astype(np.float64)
    else:
        hashes = [every.hashes[place] for place in places]
        near = 1 - np.minimum(*hash_distances([one.pdq for one in ours], hashes)) / 128
    best = near.argmax(axis=0)
    values = near[best, np.arange(len(places))]
    found: dict[str, RelatedCampaign] = {}
    for column in _falling(values):
        row = every.rows[places[column]]
        if row.campaign not in found:
            value = float(values[column])
            found[row.campaign] = RelatedCampaign(
                campaign=row.campaign,
                name=row.name,
                size=row.size,
                similarity=round(value, 6),
                pdq_distance=None if by_embedding else round((1 - value) * 128),
                probability=round(origin.probability(value), 6) if by_embedding and origin is not None else None,
                exemplar=ours[int(best[column])].sha256,
                other=row.sha256,
            )
        if len(found) == MOST_RELATED:
            break
    return tuple(found.values())


def _falling(values: npt.NDArray[np.float64]) -> list[int]:
    return [int(place) for place in np.argsort(-values, kind="stable")]
