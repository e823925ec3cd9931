"""A detector proves itself on golden outputs before it serves."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from indexer.detector import list_detectors, load_detector, resolve, verify, write_golden
from indexer.detector.golden import TOLERANCES, golden_pictures
from indexer.errors import DetectorError, WeightsRefusedError
from indexer.settings import Settings
from tests.detector.reference_checkpoints import edit_json


def test_the_bundled_detector_reproduces_the_outputs_that_ship_with_it(settings: Settings) -> None:
    proof = load_detector(settings).prove()
    assert proof.statement == "golden outputs shipped with dejafake"
    assert proof.logit_difference is not None
    assert proof.logit_difference < 1e-4
    assert proof.cls_difference is not None
    assert proof.cls_difference < 1e-4


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_the_bundled_detector_proves_itself_in_every_precision(
    make_settings: Callable[..., Settings], precision: str
) -> None:
    proof = load_detector(make_settings(precision=precision)).prove()
    assert proof.cls_difference is not None
    assert proof.cls_difference < TOLERANCES[precision] / 2


def test_golden_pictures_are_the_same_two_everywhere() -> None:
    first, second = golden_pictures()
    digests = [hashlib.sha256(one.tobytes()).hexdigest()[:16] for one in (first, second)]
    assert digests == ["8147496f6ef04e75", "a531a0fa5c724261"]


def test_a_folder_without_golden_outputs_says_so(tiny_copy: Path, make_settings: Callable[..., Settings]) -> None:
    listing = list_detectors(make_settings(detector=str(tiny_copy)))[-1]
    assert (listing.spec.name, listing.proved, listing.in_use) == ("local:copy", "no golden outputs", True)
    proof = load_detector(make_settings(), str(tiny_copy)).prove()
    assert (proof.statement, proof.logit_difference) == ("no golden outputs", None)
    assert not (tiny_copy / "golden.json").exists()


def test_recorded_golden_outputs_are_found_and_hold(tiny_copy: Path, settings: Settings) -> None:
    verification = verify(settings, str(tiny_copy), write=True)
    assert verification.golden == tiny_copy / "golden.json"
    assert verification.proof.statement == "golden outputs recorded on this machine"
    assert verification.proof.cls_difference == pytest.approx(0, abs=1e-5)
    assert "SHA-256 of the weights is pinned by nobody" in verification.checks
    assert verify(settings, str(tiny_copy)).golden is None


def test_outputs_that_differ_from_the_golden_ones_keep_a_detector_from_serving(
    tiny_copy: Path, settings: Settings
) -> None:
    path = write_golden(resolve(str(tiny_copy), settings), settings)
    golden = json.loads(path.read_text())
    golden["cls"][1][3] += 0.01
    path.write_text(json.dumps(golden))
    with pytest.raises(WeightsRefusedError, match=r"does not reproduce its golden outputs on cpu in fp32 .*0\.01"):
        load_detector(settings, str(tiny_copy))
    assert load_detector(settings, str(tiny_copy), prove=False).run(torch.zeros(1, 3, 384, 384)).cls.shape == (1, 384)


def test_golden_outputs_of_other_preprocessing_are_refused(tiny_copy: Path, settings: Settings) -> None:
    write_golden(resolve(str(tiny_copy), settings), settings)
    edit_json(tiny_copy / "preprocessor_config.json", resample=2)
    with pytest.raises(WeightsRefusedError, match="of other weights, preprocessing or head"):
        load_detector(settings, str(tiny_copy))


@pytest.mark.parametrize(
    "change",
    [
        {"logits": [["a"]]},
        {"logits": None},
        {"cls": [[1.0], [2.0, 3.0]]},
        {"cls": [[float("nan")] * 32] * 2},
        {"tolerance": {"fp32": -1}},
        {"fingerprint": 5},
    ],
)
def test_damaged_golden_outputs_are_refused(tiny_copy: Path, settings: Settings, change: dict[str, object]) -> None:
    path = write_golden(resolve(str(tiny_copy), settings), settings)
    edit_json(path, **change)
    with pytest.raises(WeightsRefusedError, match=r"golden\.json"):
        resolve(str(tiny_copy), settings)


def test_golden_outputs_that_ship_are_not_recorded_again(settings: Settings) -> None:
    with pytest.raises(DetectorError, match="ship with dejafake"):
        write_golden(resolve("dejafake-small", settings), settings)


def test_golden_outputs_notice_another_model_of_the_same_shapes(settings: Settings) -> None:
    detector = load_detector(settings)
    with torch.no_grad():
        detector._network._model.blocks[2].mlp.fc2.weight.mul_(1.05)
    with pytest.raises(WeightsRefusedError, match="does not reproduce"):
        detector.prove()
