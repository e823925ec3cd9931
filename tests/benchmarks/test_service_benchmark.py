"""The service's benchmark asks a real server everything it says it asks, and checks what it promises."""

from pathlib import Path

import pytest

from benchmarks.service import PROCESSES, Size, measure
from tests.tiny_detectors import tiny_detector


@pytest.mark.full
def test_every_way_to_ask_is_timed_and_every_promise_checked(tmp_path: Path) -> None:
    detector = tiny_detector(tmp_path / "tiny", seed=1)
    size = Size(vectors=300, rounds=1, pictures=1, references=8, lasting=40)
    made = measure(size, tmp_path, {"tiny": str(detector)})
    asked = {(row.what, row.clients) for row in made.rows}
    assert asked >= {("search by picture", clients) for clients in (1, 4, 16)}
    assert asked >= {("search by id", 4), ("search by vector", 4), ("search by picture, no sharing", 16)}
    assert asked >= {(f"search by id, {PROCESSES} processes", 8), (f"search by picture, {PROCESSES} processes", 16)}
    assert asked >= {("bare model pass", 1), ("bare batch extraction", 1)}
    assert all(row.per_second > 0 and row.p50_ms <= row.p95_ms <= row.p99_ms for row in made.rows)
    assert {"detector_1_decode_ms", "detector_1_queue_ms", "detector_1_verdict_ms"} <= set(made.figures)
    wanted = ["<= 1.05", ">= 0.9", ">= 0.9", ">= 500", ">= 500", "< 5 s", "model"]
    assert sorted(check.aim for check in made.checks if not check.aim.endswith(" ms")) == sorted(wanted)
    assert made.figures["resident_mib_at_the_end"] > 0
