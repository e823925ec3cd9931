"""The benchmarks of extraction and ingest run, and say what they promise."""

import sys
from pathlib import Path

import pytest

from benchmarks import extraction, ingest
from benchmarks.extracting.agreement import Agreement, agreement_checks
from benchmarks.extracting.memory import peak_memory_by_runtime
from benchmarks.made_up.vit import write_jpegs
from indexer.settings import Settings
from tests.tiny_detectors import tiny_detector


@pytest.mark.full
def test_extraction_times_every_way_beside_its_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)  # whose conversions would take most of the time
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(extraction, "BATCHES", (8,))
    monkeypatch.setattr(extraction, "KINDS", {"1024 x 1024 JPEG": (64, 48)})
    monkeypatch.setattr(extraction, "peak_memory_by_runtime", lambda _settings: {"eager fp32": 1.0})
    pictures = write_jpegs(tmp_path / "pictures", (96, 64), 2)[0].parent
    report = extraction.measure(tmp_path, extraction.Amount(2, 1, 1, None, blocks=1), pictures)
    ways = {row.what for row in report.rows}
    assert {"dejafake auto", extraction.PIPELINE, "timm loop eager fp32", "bare timm eager fp32"} <= ways
    assert {"dejafake onednn fp32", "products alone fp32"} <= ways
    assert all(row.least_s <= row.pictures_s <= row.most_s for row in report.rows)
    assert report.figures["vit_onednn_fp32_worst_cosine"] > 0.9999
    assert report.figures["dejafake-small_onednn_fp32_worst_p_difference"] < 1e-4
    assert [check.name.split(",")[0] for check in report.checks[:2]] == [
        "times the transformers pipeline",
        "of the best bare forward of any peer",
    ]


def test_an_aim_that_is_missed_is_shown_and_runtimes_the_trial_refuses_are_not_judged() -> None:
    missed = Agreement("vit", "onednn bf16", 5, 0.9999, 0.9999, 0.02, 0.01, in_trial=True)
    refused = Agreement("vit", "openvino bf16", 5, 0.5, 0.5, 0.5, 0.5, in_trial=False)
    assert [(check.value, check.holds) for check in agreement_checks([missed, refused])] == [
        (0.9999, True),
        (0.02, False),
    ]


@pytest.mark.full
def test_memory_is_that_of_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.extracting.memory.RUNTIMES", (("eager", "fp32"),))
    detector = str(tiny_detector(tmp_path / "tiny", seed=1))
    settings = Settings.load(home=tmp_path / "home", device="cpu", detector=detector)
    found = peak_memory_by_runtime(settings)
    assert found["eager fp32"] > 100


def test_the_shares_of_an_ingest_add_up_in_the_main_thread(tmp_path: Path) -> None:
    pictures = write_jpegs(tmp_path / "pictures", (96, 64), 3)[0].parent
    report = ingest.measure(tmp_path, pictures, blocks=1)
    for detector in ("vit", "dejafake-small"):
        shares = {(row.step, row.ahead): row.share for row in report.rows if row.detector == detector}
        assert {
            ("models", False),
            ("local features", True),
            ("SQL and vectors", False),
            ("decode", True),
            ("PDQ", True),
        } <= set(shares)
        assert sum(share for (_, ahead), share in shares.items() if not ahead) == pytest.approx(1)
    assert [check.name for check in report.checks] == [
        "share of the models, vit",
        "share of the models, dejafake-small",
    ]
