"""Every runtime is held to the eager reference, and the choice between them is made by what this machine can do."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.detector import Detector, load_detector
from indexer.detector.runtimes import Choice, Runtime, choose, serving
from indexer.detector.runtimes import trial as trials
from indexer.detector.runtimes.onednn import OneDnnRuntime
from indexer.detector.runtimes.openvino import OpenVinoRuntime
from indexer.detector.runtimes.runtime import Outputs, RuntimeUnavailableError
from indexer.errors import DetectorError
from indexer.settings import Settings
from tests.tiny_detectors import tiny_detector

BF16_HERE = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
MakeSettings = Callable[..., Settings]


@pytest.fixture
def runs_here() -> Callable[[str, str], None]:
    """Skips where this machine or installation lacks what a runtime needs."""

    def check(runtime: str, precision: str) -> None:
        if runtime == "openvino":
            pytest.importorskip("openvino", reason="OpenVINO is not installed")
        if precision == "bf16" and not BF16_HERE:
            pytest.skip("this processor has no instructions for bf16")

    return check


def batch_of(count: int) -> np.ndarray:
    return np.random.default_rng(4).standard_normal((count, 3, 384, 384), dtype=np.float32)


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", one.astype(np.float64), other.astype(np.float64))


@pytest.mark.parametrize(
    ("runtime", "precision", "tolerance"),
    [
        ("onednn", "fp32", 1e-4),
        ("onednn", "bf16", 0.05),
        ("openvino", "fp32", 1e-4),
        ("openvino", "bf16", 0.1),
    ],
)
def test_a_runtime_gives_what_the_reference_gives_for_any_number_of_pictures(
    make_settings: MakeSettings,
    runs_here: Callable[[str, str], None],
    runtime: str,
    precision: str,
    tolerance: float,
) -> None:
    runs_here(runtime, precision)
    reference = load_detector(make_settings())
    detector = load_detector(make_settings(runtime=runtime, precision=precision))
    assert (detector.runtime, detector.precision) == (runtime, precision)
    assert detector.prove().cls_difference is not None
    batch = batch_of(5)
    expected, output = reference.run(batch), detector.run(batch)
    assert output.cls.dtype == output.logits.dtype == np.float32
    np.testing.assert_allclose(output.logits, expected.logits, atol=tolerance)
    assert cosines(output.embeddings, expected.embeddings).min() >= trials.MIN_COSINE
    np.testing.assert_allclose(detector.run(batch[2:3]).cls[0], output.cls[2], atol=tolerance)


def test_what_only_the_eager_network_gives_comes_from_it(make_settings: MakeSettings, tmp_path: Path) -> None:
    folder = tiny_detector(tmp_path / "tiny", seed=2)
    detector = load_detector(make_settings(runtime="onednn", precision="fp32"), str(folder))
    output = detector.run(batch_of(1), patches=True, attention=True, rollout=True)
    assert output.patches is not None
    assert output.attention is not None
    assert output.rollout is not None
    np.testing.assert_allclose(output.cls, detector.run(batch_of(1)).cls, atol=1e-4)


def trial(detector: Detector, **wanted: object) -> Choice[Runtime]:
    def reference(batch: torch.Tensor) -> Outputs:
        output = detector.run(batch)
        return Outputs(torch.from_numpy(output.logits), torch.from_numpy(output.cls))

    options = {"runtime": "auto", "precision": "auto", "batch_size": 2, "threads": 1} | wanted
    model = detector._network.model
    return choose(model, detector.spec.head, torch.from_numpy(batch_of(2)), reference=reference, **options)  # type: ignore[arg-type]


def test_the_fastest_that_agrees_is_taken_and_all_that_were_tried_are_told(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    detector = load_detector(make_settings(), str(tiny_detector(tmp_path / "tiny", seed=2)))
    seconds = {("onednn", "fp32"): 2e-9, ("onednn", "bf16"): 1e-9, ("openvino", "fp32"): 3e-9, ("openvino", "bf16"): 9}
    monkeypatch.setattr(trials, "_seconds", lambda one, _pictures: seconds[one.name, one.precision])
    found = trial(detector)
    assert [(one.runtime, one.precision) for one in found.measured] == [("eager", "fp32"), *seconds]
    assert found.taken is not None
    assert (found.taken.name, found.taken.precision) == ("onednn", "bf16" if BF16_HERE else "fp32")
    monkeypatch.setattr(trials, "_seconds", lambda _one, _pictures: 1e9)
    monkeypatch.setitem(sys.modules, "openvino", None)
    slow = trial(detector)
    assert slow.taken is None
    assert str(slow.measured[-1].why_not).startswith("it is not installed")


def test_a_runtime_that_disagrees_is_not_taken_however_fast(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    detector = load_detector(make_settings(), str(tiny_detector(tmp_path / "tiny", seed=2)))

    def wrong(self: OneDnnRuntime, batch: torch.Tensor) -> Outputs:
        return Outputs(torch.zeros(len(batch), 1), torch.ones(len(batch), 384))

    monkeypatch.setattr(OneDnnRuntime, "infer", wrong)
    monkeypatch.setattr(trials, "_seconds", lambda _one, _pictures: 1e-9)
    refused = [one.why_not for one in trial(detector, precision="fp32").measured if one.runtime == "onednn"]
    assert len(refused) == 1
    assert str(refused[0]).startswith("too far from the reference: cosine")
    with pytest.raises(DetectorError, match=r"runtime onednn cannot be used \(fp32: too far from the reference"):
        trial(detector, runtime="onednn", precision="fp32")


def test_a_named_runtime_that_is_missing_says_how_to_get_it(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tiny_detector(tmp_path / "tiny", seed=2)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DetectorError, match=r"not installed: pip install 'dejafake\[openvino\]'.*RUNTIME=auto"):
        load_detector(make_settings(runtime="openvino"), str(folder))
    with pytest.raises(RuntimeUnavailableError, match="not installed"):
        OpenVinoRuntime(load_detector(make_settings(), str(folder))._network.model, "fp32", 1)


def test_the_trial_waits_for_the_pictures_that_make_it_pay(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serving, "TRIAL_AFTER", 3)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(trials, "_seconds", lambda one, _pictures: 1e-9 if one.name == "onednn" else 9)
    detector = load_detector(make_settings(runtime="auto"), str(tiny_detector(tmp_path / "tiny", seed=2)))
    batch = batch_of(3)
    before = detector.run(batch)
    assert detector.runtime == "eager"
    after = detector.run(batch)
    assert detector.runtime == "onednn"
    assert cosines(before.embeddings, after.embeddings).min() >= trials.MIN_COSINE


def test_nothing_is_tried_where_a_precision_is_set_or_eager_is_wanted(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    folder = str(tiny_detector(tmp_path / "tiny", seed=2))
    assert load_detector(make_settings(runtime="auto", precision="fp32"), folder).choose_runtime() is None
    assert load_detector(make_settings(runtime="eager"), folder).choose_runtime() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_a_cuda_device_gives_what_the_processor_gives(make_settings: MakeSettings, precision: str) -> None:
    expected = load_detector(make_settings()).run(batch_of(5))
    output = load_detector(make_settings(device="cuda", precision=precision)).run(batch_of(5))
    assert cosines(output.embeddings, expected.embeddings).min() >= trials.MIN_COSINE


def test_a_named_runtime_is_refused_on_another_device_than_the_processor(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(DetectorError, match="runtime onednn runs on the CPU only: set DEJAFAKE_DEVICE=cpu"):
        load_detector(make_settings(runtime="onednn", device="cuda"), str(tiny_detector(tmp_path / "tiny", seed=2)))
