"""What a whole clustering run costs on a made-up catalogue of known fakes with planted embeddings.

Each runs in a process of its own, so that its memory is its own.
"""

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert

from benchmarks.grouping.scores import Labels
from benchmarks.made_up.campaigns import Vectors, planted
from benchmarks.reporting.report import peak_memory_mib
from indexer.campaigns import cluster
from indexer.catalog.database import Catalog
from indexer.catalog.detections import detectors
from indexer.catalog.tables.detections import EmbeddingRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.types import utc_now
from indexer.index import SearchIndex
from indexer.settings import Settings
from indexer.vocabulary import LabelSource, LabelValue, Technique

FINGERPRINT = "b" * 64
COPIES = 0.1
"""Share of images whose PDQ hash is near that of another of their group."""
_AT_ONCE = 20_000
_MIN_COSINE = 0.8


@dataclass(frozen=True, slots=True)
class RunCost:
    """Seconds of `cluster` on so many images, from an index that is there as after an ingest; how long each of its
    steps took; the peak memory of its process in MiB, and what it found."""

    images: int
    seconds: float
    steps: dict[str, float]
    peak_mib: float
    campaigns: int


def run_cost(images: int) -> RunCost:
    """Makes the catalogue, and runs a clustering, each in a new process."""
    with tempfile.TemporaryDirectory() as home:
        for work in (_fill, _cluster):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                outcome = alone.submit(work, Path(home), images).result()
    assert isinstance(outcome, RunCost)
    return outcome


def _settings(home: Path) -> Settings:
    return Settings.load(home=home, same_origin_min_cosine=_MIN_COSINE)


def _fill(home: Path, images: int) -> None:
    settings = _settings(home)
    catalog = Catalog.open(settings.catalog_url)
    data = planted(images)
    vectors, hashes = data.vectors, _hashes(data.truth)
    with catalog.writing() as session:
        detector = detectors.register(session, "planted", FINGERPRINT, True, {})
    for start in range(0, images, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, images))
        with catalog.writing() as session:
            session.execute(insert(ImageRow), [_image(number, hashes[number].tobytes()) for number in numbers])
            session.execute(insert(EmbeddingRow), [_embedding(number, detector, vectors) for number in numbers])
    index = SearchIndex(catalog, settings, FINGERPRINT)
    index.build()
    index.close()
    catalog.close()


def _cluster(home: Path, images: int) -> RunCost:
    settings = _settings(home)
    catalog = Catalog.open(settings.catalog_url)
    index = SearchIndex(catalog, settings, FINGERPRINT)
    steps: dict[str, float] = {}
    started = before = time.perf_counter()

    def tell(step: str, done: int, total: int) -> None:
        nonlocal before
        now = time.perf_counter()
        steps[step] = round(steps.get(step, 0.0) + now - before, 2)
        before = now

    run = cluster(catalog, index, settings, progress=tell)
    now = time.perf_counter()
    steps["measuring and saving"] = round(now - before, 2)
    index.close()
    catalog.close()
    return RunCost(images, round(now - started, 2), steps, round(peak_memory_mib(), 1), run.campaigns)


def _hashes(truth: Labels) -> npt.NDArray[np.uint8]:
    """Random hashes [N, 32]; of one image in ten that of another of its group, with up to 20 bits changed."""
    random = np.random.default_rng(2)
    hashes = random.integers(0, 256, (len(truth), 32), dtype=np.uint8)
    order = np.argsort(truth, kind="stable")
    order = order[truth[order] >= 0]
    pairs = np.flatnonzero(truth[order][1:] == truth[order][:-1])[:: round(1 / COPIES)]
    copy = order[pairs + 1]
    hashes[copy] = hashes[order[pairs]]
    for _ in range(20):
        bit = random.integers(256, size=len(copy))
        hashes[copy, bit // 8] ^= (1 << (bit % 8)).astype(np.uint8)
    return hashes


def _image(number: int, pdq: bytes) -> dict[str, Any]:
    return {
        "id": number + 1,
        "sha256": sha256(str(number).encode()).hexdigest(),
        "byte_size": 100_000,
        "format": "JPEG",
        "width": 640 + number % 640,
        "height": 480,
        "mode": "RGB",
        "frames": 1,
        "notes": [],
        "pdq": pdq,
        "pdq_quality": 100,
        "pdq_method": "made up",
        "added_at": utc_now(),
        "label": LabelValue.FAKE,
        "technique": Technique.UNKNOWN,
        "generator": None,
        "disputed": False,
        "label_source_kind": LabelSource.HUMAN,
        "label_source": "desk",
    }


def _embedding(number: int, detector: int, vectors: Vectors) -> dict[str, Any]:
    return {
        "image_id": number + 1,
        "detector_id": detector,
        "logits": [0.0],
        "p_fake": 0.5,
        "detected_at": utc_now(),
        "vector": vectors[number],
    }
