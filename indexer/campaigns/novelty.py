"""What fits nothing: known fakes in no campaign, and pictures that the detector scores high but that are like no fake.

Both are lists to look at, not findings: a known fake may be alone because its relatives are not in the catalogue, and a
detector's score is a signal, not proof.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from indexer.calibration import CalibrationVersion
from indexer.calibration.records import sigmoid
from indexer.campaigns.evidence import KNOWN_FAKES
from indexer.catalog import cursors, novelties
from indexer.catalog.database import Catalog
from indexer.catalog.novelties import Candidate
from indexer.catalog.records import Image, Page
from indexer.detector import ResolvedDetector
from indexer.errors import UsageError
from indexer.index import SearchIndex
from indexer.settings import Settings

_ROWS = 2_000
"""Embeddings read at a time."""
_READS = 10
"""How often a page reads before it is given out, however few it found."""
_EVEN = 0.5
_CURSOR = "pictures like nothing known"


class NoveltyKind(StrEnum):
    """`outside_campaigns`: a known fake that is in no campaign. `unlike_known`: a picture nobody labelled, which the
    detector scores above its threshold and which is neither the same picture as a known fake nor of the same origin."""

    OUTSIDE_CAMPAIGNS = "outside_campaigns"
    UNLIKE_KNOWN = "unlike_known"


@dataclass(frozen=True, slots=True)
class Novelty:
    """An image that fits nothing. The rest is None for a known fake: `p_fake` is the detector's score in [0, 1],
    `calibrated_p_fake` what a calibration makes of it, `nearest` (SHA-256) the known fake most like it and `cosine`
    how much."""

    kind: NoveltyKind
    image: Image
    p_fake: float | None = None
    calibrated_p_fake: float | None = None
    nearest: str | None = None
    cosine: float | None = None


def outside_campaigns(catalog: Catalog, limit: int, cursor: str | None = None) -> Page[Novelty]:
    """Known fakes that are in no campaign, newest first. Those that came after the last clustering are among them.

    Raises:
        UsageError: a bad limit or cursor.
    """
    with catalog.reading() as session:
        page = novelties.outside_campaigns(session, limit, cursor)
    return Page(tuple(Novelty(NoveltyKind.OUTSIDE_CAMPAIGNS, image) for image in page.items), page.next_cursor)


def unlike_known(
    catalog: Catalog,
    index: SearchIndex,
    resolved: ResolvedDetector,
    settings: Settings,
    calibration: CalibrationVersion | None,
    limit: int,
    cursor: str | None = None,
) -> Page[Novelty]:
    """Pictures without a settled label that the detector scores as fake and that are like no known fake, newest first.

    A page reads at most 20,000 embeddings: it may hold fewer than `limit`, or none, and still have a next one.

    Raises:
        UsageError: a bad limit or cursor, or a detector that is not trained.
    """
    if not resolved.spec.trained:
        raise UsageError("the detector in use is not trained: it cannot say which pictures look fake")
    cursors.check_limit(limit)
    (before,) = cursors.decode(_CURSOR, cursor, int) or (2**63 - 1,)
    index.refresh()
    least = _least_score(calibration)
    found: list[Novelty] = []
    for _ in range(_READS):
        with catalog.reading() as session:
            candidates, following = novelties.unlabelled_scored(session, index.fingerprint, before, _ROWS, least)
        for candidate, novelty in _unlike(catalog, index, resolved, settings, calibration, candidates):
            found.append(novelty)
            if len(found) == limit:
                return Page(tuple(found), cursors.encode(_CURSOR, candidate.embedding_id))
        if following is None:
            return Page(tuple(found), None)
        before = following
    return Page(tuple(found), cursors.encode(_CURSOR, before))


def _least_score(calibration: CalibrationVersion | None) -> float:
    """From which score on a picture is said to look fake: where a calibration says it leans fake, else one half."""
    if calibration is None:
        return _EVEN
    return float(sigmoid(np.array([calibration.calibration.zone.fake_above]))[0])


def _unlike(
    catalog: Catalog,
    index: SearchIndex,
    resolved: ResolvedDetector,
    settings: Settings,
    calibration: CalibrationVersion | None,
    candidates: list[Candidate],
) -> list[tuple[Candidate, Novelty]]:
    """Those of the candidates that no known fake is like."""
    if not candidates:
        return []
    hits = index.nearest(np.stack([one.vector for one in candidates]), 1, KNOWN_FAKES)
    far = hits.scores[:, 0] < _min_cosine(resolved, settings, calibration)
    lonely = [place for place in range(len(candidates)) if far[place] or hits.ids[place, 0] < 0]
    nearest = {place: int(hits.ids[place, 0]) for place in lonely if hits.ids[place, 0] >= 0}
    with catalog.reading() as session:
        wanted = [candidates[place].image_id for place in lonely]
        known = novelties.images_of(session, [*wanted, *nearest.values()])
    found = []
    for place in lonely:
        candidate, other = candidates[place], known.get(nearest.get(place, -1))
        image = known.get(candidate.image_id)
        if image is None or _is_copy(image, index, settings):
            continue
        calibrated = None
        if calibration is not None:
            measured = calibration.calibration
            calibrated = round(float(measured.scores.probabilities(measured.head.log_odds(candidate.logits))[0]), 6)
        novelty = Novelty(
            kind=NoveltyKind.UNLIKE_KNOWN,
            image=image,
            p_fake=candidate.p_fake,
            calibrated_p_fake=calibrated,
            nearest=None if other is None else other.sha256,
            cosine=None if other is None else round(float(hits.scores[place, 0]), 6),
        )
        found.append((candidate, novelty))
    return found


def _is_copy(image: Image, index: SearchIndex, settings: Settings) -> bool:
    if image.pdq_quality < settings.pdq_min_quality:
        return False
    return bool(index.same_picture([bytes.fromhex(image.pdq)], settings.same_picture_max_distance, KNOWN_FAKES))


def _min_cosine(resolved: ResolvedDetector, settings: Settings, calibration: CalibrationVersion | None) -> float:
    """From which cosine on a picture is like a known fake: the setting's, else a calibration's, else the detector's."""
    if settings.same_origin_min_cosine is not None:
        return settings.same_origin_min_cosine
    origin = None if calibration is None else calibration.calibration.same_origin
    if origin is not None and origin.suggested is not None:
        return origin.suggested.min_cosine
    return resolved.spec.same_origin_min_cosine
