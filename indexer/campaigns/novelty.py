"""Images that fit nowhere: known fakes in no campaign, and pictures that the detector scores high but that resemble no
known fake. Both are lists for review, not findings: a known fake may be alone because its relatives are not in the
catalogue, and a detector's score is a signal, not proof.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from indexer.calibration import CalibrationVersion
from indexer.calibration.records import sigmoid
from indexer.campaigns.grouping.evidence import COMPARABLE_FAKES, KNOWN_FAKES
from indexer.catalog import cursors
from indexer.catalog.database import Catalog
from indexer.catalog.images import novelties
from indexer.catalog.images.novelties import Candidate
from indexer.catalog.records.images import Image
from indexer.catalog.records.pages import Page
from indexer.detector import ResolvedDetector
from indexer.errors import UsageError
from indexer.imaging.content import has_too_little
from indexer.index import SearchIndex
from indexer.settings import Settings
from indexer.verdict.thresholds import thresholds_for

_ROWS = 2_000
"""Embeddings read at a time."""
_READS = 10
"""How often a page reads before it is given out, however few it found."""
_EVEN = 0.5
_CURSOR = "pictures like nothing known"


class NoveltyKind(StrEnum):
    """`outside_campaigns`: a known fake that is in no campaign. `unlike_known`: an unlabelled picture that the detector
    scores above its threshold, and that is neither the same picture as a known fake nor of the same origin.
    """

    OUTSIDE_CAMPAIGNS = "outside_campaigns"
    UNLIKE_KNOWN = "unlike_known"


@dataclass(frozen=True, slots=True)
class Novelty:
    """An image that fits nowhere. The scores are None for a known fake: `p_fake` is the detector's score in [0, 1],
    `calibrated_p_fake` its calibrated value, `nearest` (SHA-256) the most similar known fake and `cosine` their
    similarity.
    """

    kind: NoveltyKind
    image: Image
    p_fake: float | None = None
    calibrated_p_fake: float | None = None
    nearest: str | None = None
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Comparer:
    """What pictures are compared with known fakes by: the index of the detector in use, the settings, and the
    calibration in use, if any."""

    catalog: Catalog
    index: SearchIndex
    resolved: ResolvedDetector
    settings: Settings
    calibration: CalibrationVersion | None

    @property
    def min_cosine(self) -> float | None:
        """The cosine from which two pictures are of the same origin; None when none is."""
        return thresholds_for(self.settings, self.resolved.spec, self.calibration).min_cosine


def outside_campaigns(catalog: Catalog, limit: int, cursor: str | None = None) -> Page[Novelty]:
    """Known fakes that are in no campaign, newest first. Includes those added after the last clustering.

    Raises:
        UsageError: a bad limit or cursor.
    """
    with catalog.reading() as session:
        page = novelties.outside_campaigns(session, limit, cursor)
    return Page(tuple(Novelty(NoveltyKind.OUTSIDE_CAMPAIGNS, image) for image in page.items), page.next_cursor)


def unlike_known(by: Comparer, limit: int, cursor: str | None = None) -> Page[Novelty]:
    """Pictures without a settled label that the detector scores as fake and that resemble no known fake, newest first.
    A page reads at most 20,000 embeddings: it may hold fewer than `limit` items, even none, and still have a next page.

    Raises:
        UsageError: a bad limit or cursor, or a detector that is not trained.
    """
    if not by.resolved.spec.trained:
        raise UsageError("the detector in use is not trained: it cannot say which pictures look fake")
    cursors.check_limit(limit)
    (before,) = cursors.decode(_CURSOR, cursor, int) or (2**63 - 1,)
    by.index.refresh()
    least = _least_score(by.calibration)
    unlike: list[Novelty] = []
    for _ in range(_READS):
        with by.catalog.reading() as session:
            candidates, following = novelties.unlabelled_scored(session, by.index.fingerprint, before, _ROWS, least)
        for candidate, novelty in _unlike(by, candidates):
            unlike.append(novelty)
            if len(unlike) == limit:
                return Page(tuple(unlike), cursors.encode(_CURSOR, candidate.embedding_id))
        if following is None:
            return Page(tuple(unlike), None)
        before = following
    return Page(tuple(unlike), cursors.encode(_CURSOR, before))


def _least_score(calibration: CalibrationVersion | None) -> float:
    """The score from which a picture counts as looking fake: the calibration's threshold, else one half."""
    if calibration is None:
        return _EVEN
    return float(sigmoid(np.array([calibration.calibration.zone.fake_above]))[0])


def _unlike(by: Comparer, candidates: list[Candidate]) -> list[tuple[Candidate, Novelty]]:
    """The candidates that resemble no known fake."""
    if not candidates:
        return []
    hits = by.index.nearest(np.stack([other_candidate.vector for other_candidate in candidates]), 1, COMPARABLE_FAKES)
    smallest = by.min_cosine
    far = hits.scores[:, 0] < (np.inf if smallest is None else smallest)
    lonely = [row for row in range(len(candidates)) if far[row] or hits.ids[row, 0] < 0]
    nearest = {row: int(hits.ids[row, 0]) for row in lonely if hits.ids[row, 0] >= 0}
    with by.catalog.reading() as session:
        image_ids = [candidates[row].image_id for row in lonely]
        known = novelties.images_of(session, [*image_ids, *nearest.values()])
    unlike = []
    for row in lonely:
        candidate, other = candidates[row], known.get(nearest.get(row, -1))
        image = known.get(candidate.image_id)
        if image is None or has_too_little(image.content, image.pdq_quality) or _is_copy(image, by):
            continue
        calibrated = None
        if by.calibration is not None:
            measured = by.calibration.calibration
            calibrated = round(float(measured.scores.probabilities(measured.head.log_odds(candidate.logits))[0]), 6)
        novelty = Novelty(
            kind=NoveltyKind.UNLIKE_KNOWN,
            image=image,
            p_fake=candidate.p_fake,
            calibrated_p_fake=calibrated,
            nearest=None if other is None else other.sha256,
            cosine=None if other is None else round(float(hits.scores[row, 0]), 6),
        )
        unlike.append((candidate, novelty))
    return unlike


def _is_copy(image: Image, by: Comparer) -> bool:
    if image.pdq_quality < by.settings.pdq_min_quality:
        return False
    return bool(by.index.same_picture([bytes.fromhex(image.pdq)], by.settings.same_picture_max_distance, KNOWN_FAKES))
