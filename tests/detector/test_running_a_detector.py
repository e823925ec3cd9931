"""Running a detector: inputs of every kind, batches in order, memory that runs out, nothing kept unasked."""

import io
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from indexer.detector import Detector, load_detector, runtime
from indexer.errors import DetectorError, ImageRejectedError, UsageError
from indexer.settings import Settings
from tests.detector.reference_checkpoints import Reference, make_reference


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return make_reference(tmp_path_factory.mktemp("classes") / "made", labels=("fake", "real"))


@pytest.fixture
def detector(tiny: Reference, settings: Settings) -> Detector:
    return load_detector(settings, str(tiny.folder))


def batch_of(count: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 3, 384, 384), dtype=np.float32)


def picture(seed: int) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((640, 480), Image.Resampling.BICUBIC)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def hooks_of(detector: Detector) -> int:
    modules = detector._network._model.modules()
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules)


def test_paths_bytes_pictures_and_tensors_give_the_same_outputs_in_order(detector: Detector, tmp_path: Path) -> None:
    pictures = [picture(seed) for seed in range(3)]
    (tmp_path / "one.png").write_bytes(png(pictures[1]))
    prepared = [torch.from_numpy(detector.prepare(one)) for one in pictures]
    expected = detector.run(torch.stack([prepared[i] for i in (0, 1, 1, 2, 0, 1, 2)]))
    inputs = [
        png(pictures[0]),
        tmp_path / "one.png",
        str(tmp_path / "one.png"),
        pictures[2],
        torch.stack(prepared[:2]),
        prepared[2],
    ]
    output = detector.detect(iter(inputs))
    np.testing.assert_allclose(output.logits, expected.logits, atol=1e-5)
    np.testing.assert_allclose(output.embeddings, expected.embeddings, atol=1e-5)
    assert np.abs(output.cls[0] - output.cls[1]).max() > 1e-3


def test_embeddings_are_the_cls_normalised_and_everything_is_float32(detector: Detector) -> None:
    output = detector.run(batch_of(2))
    np.testing.assert_allclose(np.linalg.norm(output.embeddings, axis=1), 1, atol=1e-6)
    expected = output.cls / np.linalg.norm(output.cls, axis=1, keepdims=True)
    np.testing.assert_allclose(output.embeddings, expected, atol=1e-6)
    assert {a.dtype for a in (output.logits, output.p_fake, output.cls, output.embeddings)} == {np.dtype(np.float32)}
    assert output.p_fake.shape == (2,)
    assert ((output.p_fake >= 0) & (output.p_fake <= 1)).all()


def test_p_fake_of_two_classes_is_the_softmax_of_the_one_that_says_fake(
    two_classes: Reference, settings: Settings
) -> None:
    output = load_detector(settings, str(two_classes.folder)).run(batch_of(2))
    powers = np.exp(output.logits - output.logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(output.p_fake, powers[:, 0] / powers.sum(axis=1), atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5])
def test_any_number_of_pictures_is_run_and_batches_do_not_change_results(detector: Detector, count: int) -> None:
    batch = batch_of(count)
    output = detector.run(batch, patches=True, attention=True)
    assert output.logits.shape == (count, 1)
    assert output.embeddings.shape == (count, 384)
    assert output.patches is not None
    assert output.patches.shape == (count, 576, 384)
    assert output.attention is not None
    assert [maps.shape for maps in output.attention] == [(count, 6, 577, 577)]
    for index in range(count):
        np.testing.assert_allclose(output.cls[index], detector.run(batch[index : index + 1]).cls[0], atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 384, 384), (1, 3, 224, 224), (1, 1, 384, 384), (1, 384, 384, 3)])
def test_a_batch_of_another_shape_is_refused(detector: Detector, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"\[N, 3, 384, 384\]"):
        detector.run(np.zeros(shape, np.float32))


def test_a_picture_that_cannot_be_read_is_named_by_its_place(detector: Detector) -> None:
    with pytest.raises(ImageRejectedError, match=r"^input 2: ") as rejection:
        detector.detect([picture(1), b"no picture"])
    assert rejection.value.reason == "not_an_image"


def test_what_was_not_asked_for_is_not_kept_and_no_hook_stays(detector: Detector) -> None:
    output = detector.run(batch_of(1))
    assert output.patches is None
    assert output.attention is None
    assert hooks_of(detector) == 0
    detector.run(batch_of(1), patches=True, attention=True)
    assert hooks_of(detector) == 0
    with pytest.raises(DetectorError):
        detector.run(np.full((1, 3, 384, 384), np.nan, np.float32), attention=True)
    assert hooks_of(detector) == 0


def test_attention_is_fused_again_after_maps_were_asked_for(detector: Detector) -> None:
    layer = detector._network._model.blocks[0].attn
    fused = layer.fused_attn
    plain = detector.run(batch_of(1))
    mapped = detector.run(batch_of(1), attention=True)
    assert layer.fused_attn == fused
    np.testing.assert_allclose(plain.cls, mapped.cls, atol=1e-5)


def test_threads_asking_for_different_things_do_not_see_each_other(detector: Detector) -> None:
    batches = [batch_of(2, seed) for seed in range(4)]
    alone = [detector.run(batch).cls for batch in batches]
    results: dict[int, object] = {}

    def work(index: int) -> None:
        output = detector.run(batches[index], patches=index % 2 == 0, attention=index == 3)
        results[index] = (output.cls, output.patches is not None, output.attention is not None)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(4):
        cls, patches, attention = results[index]  # type: ignore[misc]
        np.testing.assert_allclose(cls, alone[index], atol=1e-5)
        assert (patches, attention) == (index % 2 == 0, index == 3)


class MemoryFor:
    """A device that runs out of memory for more than `most` pictures, as a forward hook on the real model."""

    def __init__(self, detector: Detector, most: int, error: Exception) -> None:
        self.sizes: list[int] = []
        self._most, self._error = most, error
        detector._network._model.patch_embed.register_forward_pre_hook(self._check)

    def _check(self, _module: object, inputs: tuple[torch.Tensor, ...]) -> None:
        self.sizes.append(len(inputs[0]))
        if len(inputs[0]) > self._most:
            raise self._error


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["cuda", "mps", "cpu", "python"])
def test_batches_are_halved_when_memory_runs_out_and_results_stay_the_same(
    detector: Detector, error: Exception
) -> None:
    batch = batch_of(5)
    expected = detector.run(batch)
    device = MemoryFor(detector, 1, error)
    output = detector.run(batch)
    assert device.sizes == [4, 2, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(output.cls, expected.cls, atol=1e-5)


def test_memory_too_small_for_one_picture_is_a_detector_error(detector: Detector) -> None:
    MemoryFor(detector, 0, MemoryError())
    with pytest.raises(DetectorError, match="not enough memory on cpu for a single picture"):
        detector.run(batch_of(2))


def test_another_failure_of_the_device_is_not_taken_for_a_lack_of_memory(detector: Detector) -> None:
    device = MemoryFor(detector, 0, RuntimeError("device-side assert triggered"))
    with pytest.raises(DetectorError, match="failed on cpu in fp32: device-side assert"):
        detector.run(batch_of(2))
    assert device.sizes == [2]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_not_finite_are_an_error(detector: Detector, value: float) -> None:
    batch = batch_of(2)
    batch[1, 0, 5, 5] = value
    with pytest.raises(DetectorError, match="not finite"):
        detector.run(batch)


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("bf16", 0.15), ("fp16", 0.02)])
def test_every_precision_gives_float32_outputs_near_those_of_fp32(
    tiny: Reference, make_settings: Callable[..., Settings], precision: str, tolerance: float
) -> None:
    reduced = load_detector(make_settings(precision=precision), str(tiny.folder))
    assert reduced.precision == precision
    batch = batch_of(1)
    output = reduced.run(batch)
    assert output.cls.dtype == np.float32
    _, hidden = tiny.outputs(torch.from_numpy(batch))
    assert np.abs(output.cls - hidden[:, 0].numpy()).max() < tolerance


@pytest.mark.parametrize(("present", "chosen"), [("cuda", "cuda"), ("mps", "mps"), ("xpu", "xpu"), (None, "cpu")])
def test_the_device_is_chosen_by_what_is_there(
    monkeypatch: pytest.MonkeyPatch, present: str | None, chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present == "cuda")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: present == "mps")
    monkeypatch.setattr(torch.xpu, "is_available", lambda: present == "xpu")
    assert runtime.choose_device("auto").type == chosen
    assert runtime.choose_device("cpu").type == "cpu"


def test_the_precision_follows_the_device_unless_set() -> None:
    chosen = {name: runtime.choose_precision("auto", torch.device(name)) for name in ("cuda", "mps", "xpu", "cpu")}
    assert chosen == {"cuda": "fp16", "mps": "fp16", "xpu": "bf16", "cpu": "fp32"}
    assert runtime.choose_precision("bf16", torch.device("cuda")) == "bf16"


def test_a_device_that_is_not_here_is_refused_with_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DetectorError, match=r"device cuda is not on this machine \(there is: .*cpu\)"):
        runtime.choose_device("cuda")


def test_settings_decide_the_number_of_compute_threads(tiny: Reference, make_settings: Callable[..., Settings]) -> None:
    before = torch.get_num_threads()
    try:
        load_detector(make_settings(threads=2), str(tiny.folder))
        assert torch.get_num_threads() == 2
        load_detector(make_settings(threads=0), str(tiny.folder))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_file_changed_after_loading_does_not_change_the_detector(tiny_copy: Path, settings: Settings) -> None:
    detector = load_detector(settings, str(tiny_copy))
    before = detector.run(batch_of(1)).cls
    path = tiny_copy / "model.safetensors"
    with path.open("r+b") as file:
        start = 8 + int.from_bytes(file.read(8), "little")
        file.seek(start)
        file.write(b"\x41" * (path.stat().st_size - start))
    np.testing.assert_array_equal(detector.run(batch_of(1)).cls, before)
