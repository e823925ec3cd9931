"""Fills an empty catalogue with made-up rows, as skewed as real ones: a few generators and platforms have most images,
feeds come in nearly by date, archives do not; embeddings are those of `planted_vectors`. Deterministic.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Table, insert

from benchmarks.made_up.vectors import Vectors, planted
from indexer.catalog import Catalog
from indexer.catalog.tables.campaigns import CampaignMemberRow, CampaignRow
from indexer.catalog.tables.collections import CollectionImageRow, CollectionRow
from indexer.catalog.tables.detections import DetectorRow, EmbeddingRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.labels import LabelRow
from indexer.catalog.tables.sightings import SightingRow
from indexer.catalog.tables.sources import SourceRow
from indexer.catalog.tables.types import month_of
from indexer.vocabulary import LabelSource, LabelValue, Technique

FIRST_DAY = datetime(2018, 1, 1, tzinfo=UTC)
DAYS = 3_100
BATCH = 10_000
GENERATORS = tuple(f"generator-{number:02}" for number in range(60))
PLATFORMS = (
    "x",
    "facebook",
    "tiktok",
    "telegram",
    "instagram",
    "youtube",
    "reddit",
    "vk",
    "weibo",
    "whatsapp",
    "4chan",
)
COLLECTIONS = tuple(f"collection {number:02}" for number in range(40))
TECHNIQUES = tuple(technique for technique in Technique if technique is not Technique.UNKNOWN)
FINGERPRINT = "made-up"
_CAMPAIGN_SIZE = 50
_CAPTION = "a caption of the length that captions have, which is a sentence or two, seldom more than that"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the rows of a batch of images follow from; all arrays are [N]."""

    ids: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    techniques: npt.NDArray[np.int64]
    generators: npt.NDArray[np.int64]
    sightings: npt.NDArray[np.int64]
    days: npt.NDArray[np.float64]


def fill(catalog: Catalog, images: int, *, seed: int = 0, fingerprint: str = FINGERPRINT) -> Iterator[int]:
    """Fill `catalog`, one transaction a batch; yields how many images there are so far. `fingerprint`: of the detector
    whose embeddings these pretend to be."""
    rng = np.random.default_rng(seed)
    vectors = planted(images, queries=0, seed=seed).vectors
    _insert(catalog, DetectorRow, [_detector(fingerprint)])
    _insert(catalog, CollectionRow, [_collection(name) for name in COLLECTIONS])
    _insert(catalog, CampaignRow, [_campaign(number) for number in range(images // 4 // _CAMPAIGN_SIZE + 1)])
    for start in range(0, images, BATCH):
        facts = _facts(rng, np.arange(start + 1, min(start + BATCH, images) + 1), images)
        _insert(catalog, ImageRow, list(_images(rng, facts)))
        _insert(catalog, LabelRow, list(_labels(facts)))
        _insert(catalog, SourceRow, list(_sources(facts)))
        _insert(catalog, SightingRow, list(_sightings(rng, facts)))
        _insert(catalog, CollectionImageRow, list(_memberships(rng, facts)))
        _insert(catalog, CampaignMemberRow, list(_campaign_members(facts)))
        _insert(catalog, EmbeddingRow, list(_embeddings(facts, vectors)))
        yield int(facts.ids[-1])


def skewed(rng: np.random.Generator, choices: int, size: int) -> npt.NDArray[np.int64]:
    """Indices [size] below `choices`, the first a few times as frequent as the next (Zipf with exponent 1.2)."""
    weights = 1 / np.arange(1, choices + 1) ** 1.2
    return rng.choice(choices, size=size, p=weights / weights.sum())


def _facts(rng: np.random.Generator, ids: npt.NDArray[np.int64], images: int) -> _Facts:
    count = len(ids)
    by_feed = DAYS * ids / images + rng.normal(0, 20, count)
    return _Facts(
        ids=ids,
        labels=rng.choice(3, size=count, p=(0.7, 0.1, 0.2)),
        techniques=skewed(rng, len(TECHNIQUES), count),
        generators=skewed(rng, len(GENERATORS), count),
        sightings=np.minimum(rng.geometric(0.5, count) - (rng.random(count) < 0.3), 20),
        days=np.where(rng.random(count) < 0.8, by_feed, rng.uniform(0, DAYS, count)).clip(0, DAYS),
    )


def _label(facts: _Facts, row: int) -> dict[str, Any]:
    """The current label: fakes have a technique, and most a generator."""
    value = tuple(LabelValue)[facts.labels[row]]
    fake = value is LabelValue.FAKE
    named = fake and facts.ids[row] % 10 < 8
    return {
        "technique": TECHNIQUES[facts.techniques[row]] if fake else Technique.UNKNOWN,
        "generator": GENERATORS[facts.generators[row]] if named else None,
        "value": value,
    }


def _images(rng: np.random.Generator, facts: _Facts) -> Iterator[dict[str, Any]]:
    hashes = rng.bytes(32 * len(facts.ids))
    for row, image_id in enumerate(facts.ids.tolist()):
        label = _label(facts, row)
        yield {
            "id": image_id,
            "sha256": sha256(str(image_id).encode()).hexdigest(),
            "byte_size": 100_000 + image_id % 900_000,
            "format": "JPEG",
            "width": 1_024,
            "height": 768,
            "mode": "RGB",
            "frames": 1,
            "notes": [],
            "pdq": hashes[32 * row : 32 * row + 32],
            "pdq_quality": image_id % 101,
            "pdq_method": "shrunk to 512 px, then PDQ",
            "added_at": FIRST_DAY,
            "label": label["value"],
            "technique": label["technique"],
            "generator": label["generator"],
            "disputed": False,
            "label_source_kind": LabelSource.HUMAN,
            "label_source": "desk",
        }


def _labels(facts: _Facts) -> Iterator[dict[str, Any]]:
    for row, image_id in enumerate(facts.ids.tolist()):
        for source_kind, source in ((LabelSource.HUMAN, "desk"), (LabelSource.MODEL, "model"))[: 1 + image_id % 2]:
            yield {
                "image_id": image_id,
                "edition": "made up",
                "source_kind": source_kind,
                "source": source,
                "reason": "lighting of the face does not fit",
                "stated_at": FIRST_DAY,
                **_label(facts, row),
            }


def _sources(facts: _Facts) -> Iterator[dict[str, Any]]:
    for image_id in facts.ids.tolist():
        yield {
            "image_id": image_id,
            "digest": sha256(str(image_id).encode()).digest(),
            "source": "manifest.csv",
            "location": f"row {image_id}: images/{image_id:08}.jpg",
            "fields": {"desk": "3", "ticket": str(image_id)},
            "recorded_at": FIRST_DAY,
        }


def _sightings(rng: np.random.Generator, facts: _Facts) -> Iterator[dict[str, Any]]:
    platforms = skewed(rng, len(PLATFORMS), int(facts.sightings.sum())).tolist()
    delays = rng.exponential(10, len(platforms)).tolist()
    for row, image_id in enumerate(facts.ids.tolist()):
        for number in range(int(facts.sightings[row])):
            posted_at = FIRST_DAY + timedelta(days=min(float(facts.days[row]) + delays.pop(), DAYS))
            yield {
                "image_id": image_id,
                "digest": sha256(f"{image_id} {number}".encode()).digest(),
                "url": f"https://social.example/post/{image_id}/{number}",
                "archive_url": f"https://archive.example/{image_id}/{number}",
                "platform": PLATFORMS[platforms.pop()],
                "account": f"account{image_id % 5_000}",
                "posted_at": posted_at,
                "posted_month": month_of(posted_at),
                "caption": _CAPTION,
                "language": "en",
                "claim": None,
                "recorded_at": FIRST_DAY,
            }


def _memberships(rng: np.random.Generator, facts: _Facts) -> Iterator[dict[str, Any]]:
    for image_id, collection in zip(facts.ids.tolist(), skewed(rng, len(COLLECTIONS), len(facts.ids)), strict=True):
        yield {"collection_id": int(collection) + 1, "image_id": image_id}


def _campaign_members(facts: _Facts) -> Iterator[dict[str, Any]]:
    for image_id in facts.ids.tolist():
        group, rest = divmod(image_id - 1, 4)
        campaign, rank = divmod(group, _CAMPAIGN_SIZE)
        if rest == 0:
            yield {
                "campaign_id": f"cmp_{campaign:012}",
                "image_id": image_id,
                "rank": rank,
                "strength": 0.5,
                "exemplar": rank < 3,
                "reasons": ["same origin, cosine 0.93"],
            }


def _embeddings(facts: _Facts, vectors: Vectors) -> Iterator[dict[str, Any]]:
    for image_id in facts.ids.tolist():
        yield {
            "image_id": image_id,
            "detector_id": 1,
            "logits": [1.25],
            "p_fake": 0.777299861,
            "detected_at": FIRST_DAY,
            "vector": vectors[image_id - 1],
        }


def _detector(fingerprint: str) -> dict[str, Any]:
    return {"name": "made-up", "fingerprint": fingerprint, "trained": True, "spec": {}, "added_at": FIRST_DAY}


def _collection(name: str) -> dict[str, Any]:
    return {"name": name, "description": "", "images": 0, "created_at": FIRST_DAY}


def _campaign(number: int) -> dict[str, Any]:
    return {
        "id": f"cmp_{number:012}",
        "name": f"campaign {number}",
        "size": _CAMPAIGN_SIZE,
        "cohesion": 0.9,
        "first_seen": FIRST_DAY,
        "last_seen": FIRST_DAY,
        "platforms": ["x"],
        "created_at": FIRST_DAY,
        "updated_at": FIRST_DAY,
    }


def _insert(catalog: Catalog, row: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        table: Table = row.__table__
        with catalog.writing() as session:
            session.connection().execute(insert(table), rows)
