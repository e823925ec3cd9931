"""Pictures in, embeddings of length 1 out: in torch, in OpenVINO, and from ONNX models."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.copies.descriptor import resolve_descriptor
from indexer.copies.descriptor.copy_descriptor import CopyDescriptor
from indexer.copies.descriptor.loading import load_descriptor, verify_descriptor, write_golden
from indexer.detector.golden import golden_pictures
from indexer.errors import DetectorError, UsageError, WeightsRefusedError
from indexer.settings import Settings
from tests.made_descriptors import edit_config, made_descriptor, onnx_folder, tiny_onnx, write_config


def load(path: Path, **settings: object) -> CopyDescriptor:
    resolved = resolve_descriptor(str(path))
    assert resolved is not None
    chosen: dict[str, object] = {"runtime": "eager", "threads": 1} | settings
    return load_descriptor(Settings(**chosen), resolved)


def batch_of(count: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((count, 3, 32, 32), dtype=np.float32)


def test_any_number_of_pictures_gives_as_many_embeddings_of_length_one(tmp_path: Path) -> None:
    descriptor = load(made_descriptor(tmp_path / "mine"), batch_size=2)
    embeddings = descriptor.run(batch_of(5))
    assert (embeddings.shape, embeddings.dtype) == ((5, 16), np.float32)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(descriptor.run(batch_of(5)[3:4])[0], embeddings[3], atol=1e-6)
    assert descriptor.run(batch_of(0)).shape == (0, 16)
    assert (descriptor.runtime, descriptor.precision, descriptor.dimension) == ("eager", "fp32", 16)


def test_a_batch_of_another_shape_or_of_numbers_that_are_none_is_refused(tmp_path: Path) -> None:
    descriptor = load(made_descriptor(tmp_path / "mine"))
    with pytest.raises(UsageError, match=r"shape \[N, 3, 32, 32\], not \[1, 3, 64, 64\]"):
        descriptor.run(np.zeros((1, 3, 64, 64), np.float32))
    with pytest.raises(DetectorError, match="not finite"):
        descriptor.run(np.full((1, 3, 32, 32), np.nan, np.float32))


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (3_000, 40), (40, 3_000)])
def test_a_picture_of_any_size_is_prepared_whole(tmp_path: Path, size: tuple[int, int]) -> None:
    descriptor = load(made_descriptor(tmp_path / "mine"))
    prepared = descriptor.prepare(Image.new("RGB", size, (255, 0, 0)))
    assert (prepared.shape, prepared.dtype) == ((3, 32, 32), np.float32)
    np.testing.assert_allclose(prepared[:, 5, 9], [1, -1, -1])
    assert np.isfinite(descriptor.run(prepared[None])).all()


def test_openvino_gives_what_torch_gives(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    folder = made_descriptor(tmp_path / "mine")
    descriptor = load(folder, runtime="openvino", precision="fp32")
    assert (descriptor.runtime, descriptor.precision) == ("openvino", "fp32")
    np.testing.assert_allclose(descriptor.run(batch_of(3)), load(folder).run(batch_of(3)), atol=1e-4)


def test_a_runtime_that_only_detectors_have_leaves_the_descriptor_as_it_is(tmp_path: Path) -> None:
    assert load(made_descriptor(tmp_path / "mine"), runtime="onednn").runtime == "eager"


def test_recorded_golden_embeddings_hold_and_a_descriptor_that_differs_does_not_serve(tmp_path: Path) -> None:
    folder = made_descriptor(tmp_path / "mine", background=5)
    settings = Settings(runtime="eager", threads=1, copy_descriptor=str(folder))
    done = verify_descriptor(settings, write=True)
    assert done.golden == folder / "golden.json"
    assert done.checks == (
        "SHA-256 of the weights is the one its configuration names",
        "every tensor is there, has its shape and is finite; there are no others",
        "embeddings have 16 numbers and are finite",
        "proved: golden embeddings recorded on this machine",
        "background of 5 embeddings, the nearest 3 count",
    )
    golden = json.loads(done.golden.read_text())
    done.golden.write_text(json.dumps({**golden, "embeddings": [row[::-1] for row in golden["embeddings"]]}))
    with pytest.raises(WeightsRefusedError, match="does not reproduce its golden embeddings on cpu in fp32"):
        load(folder)
    done.golden.write_text(json.dumps({**golden, "embeddings": [[1, 2], [3, 4]]}))
    with pytest.raises(WeightsRefusedError, match="have another shape"):
        load(folder)
    done.golden.write_text(json.dumps({**golden, "embeddings": "all"}))
    with pytest.raises(WeightsRefusedError, match="must be rows of numbers"):
        resolve_descriptor(str(folder))
    done.golden.write_text(json.dumps(golden))
    edit_config(folder, preprocessing={"size": 32, "mean": [0, 0, 0], "std": [1, 1, 1]})
    with pytest.raises(WeightsRefusedError, match="of other weights or preprocessing"):
        load(folder)


def test_the_bundled_descriptor_reproduces_the_embeddings_that_ship_with_it() -> None:
    resolved = resolve_descriptor("dejafake-copies")
    assert resolved is not None
    descriptor = load_descriptor(Settings(runtime="eager", threads=1), resolved)
    proof = descriptor.prove()
    assert proof.statement == "golden embeddings shipped with dejafake"
    assert proof.min_cosine is not None
    assert proof.min_cosine > 0.9999
    assert resolved.spec.byte_size <= 12_000_000
    background = resolved.background()
    assert background is not None
    levels = background.level(descriptor.golden_run())
    assert levels.shape == (2,)
    assert (levels < 1).all()


def test_golden_embeddings_that_ship_with_dejafake_are_not_recorded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made_descriptor(tmp_path / "dejafake-copies")
    resolved = resolve_descriptor(str(folder))
    assert resolved is not None
    write_golden(resolved, Settings(threads=1))
    monkeypatch.setattr("indexer.copies.descriptor.registry.SHIPPED", tmp_path)
    shipped = resolve_descriptor("dejafake-copies")
    assert shipped is not None
    with pytest.raises(DetectorError, match="ship with dejafake and are not recorded again"):
        write_golden(shipped, Settings(threads=1))


def test_an_onnx_model_runs_on_the_bytes_of_a_picture(tmp_path: Path) -> None:
    descriptor = load(onnx_folder(tmp_path / "mine"))
    assert descriptor.precision == "onnx"
    picture = golden_pictures()[1].resize((32, 32), Image.Resampling.BILINEAR)
    rows = np.asarray(picture, np.float64)
    expected = np.concatenate([rows[:11].sum((0, 1)), rows[11:22].sum((0, 1)), rows[22:].sum((0, 1))])
    found = descriptor.run(descriptor.prepare(picture)[None])[0]
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-5)


def test_onnx_runtime_gives_what_openvino_gives(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    folder = onnx_folder(tmp_path / "mine")
    ours, other = load(folder), load(folder, runtime="openvino")
    assert (ours.runtime, other.runtime) == ("onnxruntime", "openvino")
    np.testing.assert_allclose(ours.golden_run(), other.golden_run(), atol=1e-5)


def test_an_onnx_model_may_have_its_json_beside_it(tmp_path: Path) -> None:
    folder = onnx_folder(tmp_path / "mine")
    (folder / "model.onnx").rename(tmp_path / "named.onnx")
    (folder / "config.json").rename(tmp_path / "named.json")
    path = tmp_path / "named.onnx"
    assert verify_descriptor(Settings(threads=1), str(path), write=True).golden == tmp_path / "named.golden.json"
    assert load(path).spec.name == "local:named"
    (tmp_path / "named.json").unlink()
    with pytest.raises(WeightsRefusedError, match=r"named.json is missing in .*: it must lie beside the weights"):
        load(path)


@pytest.mark.parametrize(
    ("data", "changes", "words"),
    [
        (tiny_onnx(kept_in="../../secret"), {}, "keeps its numbers in another file"),
        (tiny_onnx()[:-3], {}, "not a whole ONNX model"),
        (b"", {}, "not an ONNX model that can be run"),
        (b"\x0a" * 1000, {}, "not a whole ONNX model"),
        (None, {"dimension": 8}, r"gives \[2, 9\] for 2 pictures"),
        (None, {"onnx": {"layout": "nchw", "type": "uint8"}}, "cannot be used"),
    ],
)
def test_what_is_no_model_of_its_description_is_refused_in_one_line(
    tmp_path: Path, data: bytes | None, changes: dict[str, object], words: str
) -> None:
    folder = onnx_folder(tmp_path / "mine", data=data, **changes)
    with pytest.raises(WeightsRefusedError, match=words) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_an_onnx_model_without_a_runtime_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = onnx_folder(tmp_path / "mine")
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DetectorError, match=r"pip install 'dejafake\[onnx\]'"):
        load(folder)
    write_config(folder / "config.json", {"onnx": {"type": "int4"}, "dimension": 9})
    with pytest.raises(WeightsRefusedError, match='type is "int4"'):
        load(folder)
