"""How two detectors compare on the images that both have embedded: scores, readings, neighbours.

Only the figures against labels say which of them is right, and only as far as the labels are.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr
from sqlalchemy.orm import Session

from indexer.arrays import Floats
from indexer.catalog.database import Catalog
from indexer.catalog.detections import coverage, detectors, embeddings
from indexer.catalog.images import images
from indexer.catalog.images.labelled import groups_of
from indexer.catalog.records.detections import DetectorEntry
from indexer.catalog.records.filters import ImageFilter
from indexer.errors import NotFoundError
from indexer.estimates import Estimate, Groups
from indexer.evaluation.metrics import roc_auc
from indexer.vocabulary import LabelValue, Progress, no_progress

Ids = npt.NDArray[np.int64]

NEIGHBOURS = 10
QUERIES = 1_000
"""Most images whose neighbours are compared, drawn at random."""
LARGEST = 10
LABELLED = 10_000
"""Most labelled images the AUC is computed on, drawn at random: more hardly narrow its interval."""
READS_FAKE = 0.5
_PAGE = 4_096
_LABELS = (LabelValue.UNKNOWN, LabelValue.FAKE, LabelValue.AUTHENTIC)
_UNKNOWN, _FAKE, _AUTHENTIC = range(3)


@dataclass(frozen=True, slots=True)
class Opinion:
    """One of the two detectors. `auc` of p(fake) against labels by people and feeds, with its 95 % interval, None when
    it is not trained or only one class is labelled; `same_label` is the share of labelled neighbours of labelled images
    that carry the same label, None without any."""

    name: str
    fingerprint: str
    trained: bool
    auc: Estimate | None
    same_label: float | None


@dataclass(frozen=True, slots=True)
class Readings:
    """How the images with one label are read, at p(fake) >= 0.5: by both alike, or as fake by one alone."""

    label: LabelValue
    n: int
    both_fake: int
    both_authentic: int
    only_old_fake: int
    only_new_fake: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An image and its two p(fake)."""

    sha256: str
    label: LabelValue
    p_fake_old: float
    p_fake_new: float


@dataclass(frozen=True, slots=True)
class SharedNeighbours:
    """How alike the `k` nearest neighbours are, over `queries` images drawn at random: `jaccard`, the mean share of
    neighbours in common (of all that either has), and `same_nearest`, the share whose nearest one is the same."""

    queries: int
    k: int
    jaccard: float
    same_nearest: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How `old` and `new` compare on the `n` images that both have embedded.

    `spearman` (rank correlation of p(fake), -1 to 1), `same_reading`, `readings` and `disagreements` (largest first)
    are None or empty unless both are trained; `labelled` images were used for the AUCs; `neighbours` is None below two
    images. The AUCs' intervals draw whole groups where manifests named some. `seed` drew the samples.
    """

    old: Opinion
    new: Opinion
    n: int
    labelled: int
    spearman: float | None
    same_reading: float | None
    readings: tuple[Readings, ...]
    disagreements: tuple[Disagreement, ...]
    neighbours: SharedNeighbours | None
    seed: int


@dataclass(frozen=True, slots=True)
class _Scores:
    """The scores of all n images: rising ids, codes of `_LABELS`, p(fake) or NaN."""

    ids: Ids
    labels: npt.NDArray[np.int8]
    old: npt.NDArray[np.float64]
    new: npt.NDArray[np.float64]


class Nearest:
    """The k nearest other images of some images, updated while all vectors are read once."""

    def __init__(self, ids: Ids, vectors: Floats, k: int) -> None:
        self._own, self._queries, self._k = ids, vectors, k
        self._cosines = np.full((len(ids), k), -np.inf, np.float32)
        self.ids = np.full((len(ids), k), -1, np.int64)

    def see(self, ids: Ids, vectors: Floats) -> None:
        """Update with vectors [N, 384]; of equal cosines the lower id comes first."""
        cosines = self._queries @ vectors.T
        cosines[self._own[:, None] == ids[None, :]] = -np.inf
        kept = min(self._k, len(ids))
        best = np.argpartition(-cosines, kept - 1, axis=1)[:, :kept]
        scores = np.concatenate([self._cosines, np.take_along_axis(cosines, best, 1)], axis=1)
        candidates = np.concatenate([self.ids, ids[best]], axis=1)
        order = np.lexsort((candidates, -scores))[:, : self._k]
        self._cosines, self.ids = np.take_along_axis(scores, order, 1), np.take_along_axis(candidates, order, 1)


def agreement(catalog: Catalog, old: str, new: str, *, seed: int = 0, progress: Progress = no_progress) -> Agreement:
    """Compares the detectors of two fingerprints on what is stored of them; computes no embedding.

    Reads every vector once, in pages, so memory stays small at a million images. `progress` hears of the step
    "neighbours".

    Raises:
        NotFoundError: one of them has no embedding in this catalogue.
    """
    with catalog.reading() as session:
        entries = {entry.fingerprint: entry for entry in detectors.list(session)}
        for fingerprint in (old, new):
            if fingerprint not in entries:
                raise NotFoundError(f"the detector {fingerprint[:16]} has no embeddings in this catalogue to compare")
        ids = coverage.ids_of_both(session, old, new)
        random = np.random.default_rng(seed)
        queries = np.sort(random.choice(ids, min(QUERIES, len(ids)), replace=False))
        k = min(NEIGHBOURS, len(ids) - 1)
        nearest = [_nearest(session, fingerprint, queries, k) for fingerprint in (old, new)] if k > 0 else []
        scores = _read(session, old, new, len(ids), nearest, progress)
        return _compare(session, (entries[old], entries[new]), scores, queries, nearest, seed)


def _nearest(session: Session, fingerprint: str, queries: Ids, k: int) -> Nearest:
    vectors = embeddings.vectors(session, fingerprint, queries.tolist())
    return Nearest(queries, np.array([vectors[int(image_id)] for image_id in queries], np.float32), k)


def _read(
    session: Session,
    old: str,
    new: str,
    total: int,
    nearest: list[Nearest],
    progress: Progress,
) -> _Scores:
    parts, after, done = [], 0, 0
    while len(page := coverage.two_opinions(session, old, new, after=after, limit=_PAGE)):
        for neighbours, vectors in zip(nearest, (page.vectors_a, page.vectors_b), strict=bool(nearest)):
            neighbours.see(page.image_ids, vectors)
        codes = np.array([_LABELS.index(label) for label in page.labels], np.int8)
        parts.append(_Scores(page.image_ids, codes, page.p_fake_a, page.p_fake_b))
        after, done = int(page.image_ids[-1]), done + len(page)
        progress("neighbours", done, total)
    return _Scores(
        ids=np.concatenate([np.empty(0, np.int64), *(part.ids for part in parts)]),
        labels=np.concatenate([np.empty(0, np.int8), *(part.labels for part in parts)]),
        old=np.concatenate([np.empty(0), *(part.old for part in parts)]),
        new=np.concatenate([np.empty(0), *(part.new for part in parts)]),
    )


def _compare(
    session: Session,
    detectors_: tuple[DetectorEntry, DetectorEntry],
    scores: _Scores,
    queries: Ids,
    nearest: list[Nearest],
    seed: int,
) -> Agreement:
    both = np.isfinite(scores.old) & np.isfinite(scores.new)
    opinions, labelled = [], _labelled(scores, seed)
    named = groups_of(session, ImageFilter()) if len(labelled) else {}
    groups = [named.get(int(image_id)) for image_id in scores.ids[labelled]]
    for at, (entry, p_fake) in enumerate(zip(detectors_, (scores.old, scores.new), strict=True)):
        opinions.append(
            Opinion(
                name=entry.name,
                fingerprint=entry.fingerprint,
                trained=entry.trained,
                auc=_auc(scores.labels[labelled], p_fake[labelled], groups, seed),
                same_label=_same_label(scores, queries, nearest[at].ids) if nearest else None,
            )
        )
    return Agreement(
        old=opinions[0],
        new=opinions[1],
        n=len(scores.ids),
        labelled=len(labelled),
        spearman=_spearman(scores.old[both], scores.new[both]),
        same_reading=float(np.mean(_fake(scores.old[both]) == _fake(scores.new[both]))) if both.any() else None,
        readings=_readings(scores, both),
        disagreements=_largest(session, scores, both),
        neighbours=shared_neighbours(nearest[0].ids, nearest[1].ids) if nearest else None,
        seed=seed,
    )


def _fake(p_fake: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    return np.asarray(p_fake >= READS_FAKE)


def _labelled(scores: _Scores, seed: int) -> Ids:
    rows = np.flatnonzero(scores.labels != _UNKNOWN)
    return np.sort(np.random.default_rng(seed).choice(rows, min(LABELLED, len(rows)), replace=False))


def _auc(labels: npt.NDArray[np.int8], p_fake: npt.NDArray[np.float64], groups: Groups, seed: int) -> Estimate | None:
    fake = labels == _FAKE
    if not np.isfinite(p_fake).all() or not fake.any() or fake.all():
        return None
    return roc_auc(fake, p_fake, groups=groups, seed=seed)


def _spearman(old: npt.NDArray[np.float64], new: npt.NDArray[np.float64]) -> float | None:
    if len(old) < 3 or np.ptp(old) == 0 or np.ptp(new) == 0:
        return None
    return float(spearmanr(old, new).statistic)


def _readings(scores: _Scores, both: npt.NDArray[np.bool_]) -> tuple[Readings, ...]:
    old, new = _fake(scores.old), _fake(scores.new)
    rows = []
    for code, label in enumerate(_LABELS):
        here = both & (scores.labels == code)
        counted = (old & new, ~old & ~new, old & ~new, ~old & new)
        if here.any():
            rows.append(Readings(label, int(here.sum()), *(int((here & condition).sum()) for condition in counted)))
    return tuple(rows)


def _largest(session: Session, scores: _Scores, both: npt.NDArray[np.bool_]) -> tuple[Disagreement, ...]:
    gap = np.where(both, np.abs(scores.old - scores.new), 0.0)
    rows = [int(row) for row in np.lexsort((scores.ids, -gap))[:LARGEST] if gap[row] > 0]
    known = images.details(session, [int(scores.ids[row]) for row in rows])
    return tuple(
        Disagreement(
            sha256=known[int(scores.ids[row])].image.sha256,
            label=_LABELS[scores.labels[row]],
            p_fake_old=float(scores.old[row]),
            p_fake_new=float(scores.new[row]),
        )
        for row in rows
    )


def shared_neighbours(old: Ids, new: Ids) -> SharedNeighbours:
    """How alike the nearest neighbours [Q, k] of the same queries are, nearest first."""
    shares = [len(np.intersect1d(a, b)) / len(np.union1d(a, b)) for a, b in zip(old, new, strict=True)]
    return SharedNeighbours(len(old), old.shape[1], float(np.mean(shares)), float(np.mean(old[:, 0] == new[:, 0])))


def _same_label(scores: _Scores, queries: Ids, neighbours: Ids) -> float | None:
    own = scores.labels[np.searchsorted(scores.ids, queries)][:, None]
    theirs = scores.labels[np.searchsorted(scores.ids, neighbours)]
    counted = (own != _UNKNOWN) & (theirs != _UNKNOWN)
    return float(np.mean((own == theirs)[counted])) if counted.any() else None
