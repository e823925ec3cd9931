"""Weights that are not what they should be never load, and the error says what is wrong with them."""

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.detector import load_detector, resolve
from indexer.errors import NotFoundError, WeightsRefusedError
from indexer.settings import Settings
from tests.detector.reference_checkpoints import Reference, edit_json, to_timm_layout


def edit_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def assert_refused(folder: Path, settings: Settings, *words: str) -> None:
    with pytest.raises(WeightsRefusedError) as refusal:
        load_detector(settings, str(folder))
    message = str(refusal.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_an_mlp_width_other_than_the_configured_one_names_the_first_tensor_and_both_shapes(
    tiny_copy: Path, settings: Settings
) -> None:
    edit_json(tiny_copy / "config.json", intermediate_size=3072)
    assert_refused(
        tiny_copy,
        settings,
        "3 of another shape",
        "vit.encoder.layer.0.intermediate.dense.weight is [64, 384], expected [3072, 384]",
    )


def test_a_missing_tensor_is_named(tiny_copy: Path, settings: Settings) -> None:
    edit_tensors(tiny_copy, lambda tensors: tensors.pop("vit.encoder.layer.0.attention.attention.key.bias"))
    assert_refused(tiny_copy, settings, "1 missing (first: vit.encoder.layer.0.attention.attention.key.bias)")


def test_an_extra_tensor_is_named(tiny_copy: Path, settings: Settings) -> None:
    edit_tensors(tiny_copy, lambda tensors: tensors.update({"vit.pooler.dense.bias": torch.zeros(384)}))
    assert_refused(tiny_copy, settings, "1 not expected (first: vit.pooler.dense.bias)")


def test_a_tensor_outside_the_timm_prefix_is_named(tiny_copy: Path, tmp_path: Path, settings: Settings) -> None:
    folder = to_timm_layout(tiny_copy, tmp_path / "timm", depth=1, mlp=64, labels=("fake",), prefix="vit.")
    edit_tensors(folder, lambda tensors: tensors.update({"head.bias": tensors["vit.head.bias"].clone()}))
    assert_refused(folder, settings, "1 not expected (first: head.bias)")


def test_swapped_shapes_of_equal_size_are_refused(tiny_copy: Path, settings: Settings) -> None:
    key = "vit.encoder.layer.0.output.dense.weight"
    edit_tensors(tiny_copy, lambda tensors: tensors.update({key: tensors[key].T.contiguous()}))
    assert_refused(tiny_copy, settings, f"{key} is [64, 384], expected [384, 64]")


def test_whole_numbers_are_refused(tiny_copy: Path, settings: Settings) -> None:
    edit_tensors(tiny_copy, lambda t: t.update({"classifier.bias": torch.zeros(1, dtype=torch.int32)}))
    assert_refused(tiny_copy, settings, "classifier.bias holds I32")


def test_numbers_that_are_not_finite_are_refused(tiny_copy: Path, settings: Settings) -> None:
    edit_tensors(tiny_copy, lambda tensors: tensors["vit.layernorm.bias"].fill_(float("nan")))
    assert_refused(tiny_copy, settings, "vit.layernorm.bias holds numbers that are not finite")


def test_half_precision_weights_are_accepted(tiny_copy: Path, settings: Settings) -> None:
    edit_tensors(tiny_copy, lambda tensors: tensors.update({k: v.half() for k, v in tensors.items()}))
    assert load_detector(settings, str(tiny_copy)).run(torch.zeros(1, 3, 384, 384)).cls.shape == (1, 384)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "best.pth", "model.pt", "last.ckpt"])
def test_a_folder_with_only_a_pickle_is_refused_and_never_opened(
    tiny_copy: Path, settings: Settings, tmp_path: Path, name: str
) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str, ...]]:
            return (Path.touch, (tmp_path / "opened",))  # type: ignore[return-value]

    (tiny_copy / "model.safetensors").unlink()
    (tiny_copy / name).write_bytes(pickle.dumps(Hostile()))
    assert_refused(tiny_copy, settings, name, "refused", "model.safetensors")
    assert not (tmp_path / "opened").exists()


def test_a_pickle_named_safetensors_is_refused(tiny_copy: Path, settings: Settings) -> None:
    torch.save({"head.bias": torch.zeros(1)}, tiny_copy / "model.safetensors")
    assert_refused(tiny_copy, settings, "not a whole safetensors file")


@pytest.mark.parametrize("kept", [0, 7, 200, 40_000, -1])
def test_a_truncated_file_is_refused(tiny_copy: Path, settings: Settings, kept: int) -> None:
    path = tiny_copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert_refused(tiny_copy, settings, "not a whole safetensors file")


def test_weights_in_several_parts_are_refused(tiny_copy: Path, settings: Settings) -> None:
    (tiny_copy / "model.safetensors").rename(tiny_copy / "model-00001-of-00002.safetensors")
    (tiny_copy / "model.safetensors.index.json").write_text("{}")
    assert_refused(tiny_copy, settings, "several parts")


@pytest.mark.parametrize(
    ("file", "changes", "words"),
    [
        ("config.json", {"hidden_size": 768}, "hidden_size is 768"),
        ("config.json", {"image_size": 224}, "image_size is 224"),
        ("config.json", {"patch_size": 32}, "patch_size is 32"),
        ("config.json", {"model_type": "swin"}, 'model_type is "swin"'),
        ("config.json", {"model_type": None}, "neither a Transformers model_type nor a timm architecture"),
        ("config.json", {"hidden_act": "relu"}, 'hidden_act is "relu"'),
        ("config.json", {"num_attention_heads": 5}, "num_attention_heads is 5"),
        ("config.json", {"num_hidden_layers": "12"}, 'num_hidden_layers is "12"'),
        ("config.json", {"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000"),
        ("config.json", {"id2label": {"0": "cat", "1": "dog"}}, "no class label says fake"),
        ("config.json", {"id2label": None}, "no class label says fake"),
        ("config.json", {"id2label": {"0": "fake", "2": "real"}}, "id2label"),
        ("preprocessor_config.json", {"size": {"shortest_edge": 300}}, "size"),
        ("preprocessor_config.json", {"do_center_crop": False}, "size"),
        ("preprocessor_config.json", {"crop_size": {"height": 224, "width": 224}}, "crop_size"),
        ("preprocessor_config.json", {"do_resize": False}, "do_resize is false"),
        ("preprocessor_config.json", {"image_mean": None}, "image_mean is missing"),
        ("preprocessor_config.json", {"image_std": [0.5, 0, 0.5]}, "image_std must be above 0"),
        ("preprocessor_config.json", {"image_std": [0.5, float("inf"), 0.5]}, "image_std"),
        ("preprocessor_config.json", {"resample": 9}, "resample is 9"),
    ],
)
def test_a_configuration_we_cannot_honour_is_refused_by_key_and_value(
    tiny_copy: Path, settings: Settings, file: str, changes: dict[str, object], words: str
) -> None:
    edit_json(tiny_copy / file, **changes)
    assert_refused(tiny_copy, settings, words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "vit_base_patch16_384"}, "architecture"),
        ({"num_classes": 2}, "num_classes is 2"),
        ({"global_pool": "avg"}, "global_pool"),
        ({"model_args": {"reg_tokens": 4}}, "reg_tokens"),
        ({"model_args": {"embed_dim": 192}}, "embed_dim is 192"),
        ({"pretrained_cfg": None}, "pretrained_cfg"),
        ({"pretrained_cfg": {"input_size": [3, 224, 224]}}, "input_size"),
    ],
)
def test_a_timm_configuration_we_cannot_honour_is_refused(
    tiny: Reference, tmp_path: Path, settings: Settings, changes: dict[str, object], words: str
) -> None:
    folder = to_timm_layout(tiny.folder, tmp_path / "timm", depth=1, mlp=64, labels=("fake",), prefix="")
    edit_json(folder / "config.json", **changes)
    assert_refused(folder, settings, words)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000])
def test_a_configuration_that_is_no_json_object_is_refused(tiny_copy: Path, settings: Settings, content: bytes) -> None:
    (tiny_copy / "config.json").write_bytes(content)
    assert_refused(tiny_copy, settings, "config.json")


def test_a_huge_configuration_is_refused_unread(tiny_copy: Path, settings: Settings) -> None:
    (tiny_copy / "config.json").write_bytes(b" " * (5 * 1024 * 1024))
    assert_refused(tiny_copy, settings, "larger than")


def test_a_missing_configuration_is_named(tiny_copy: Path, settings: Settings) -> None:
    (tiny_copy / "preprocessor_config.json").unlink()
    assert_refused(tiny_copy, settings, "preprocessor_config.json is missing")


def test_neither_a_name_nor_a_folder_says_what_there_is(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(NotFoundError, match=r"no detector and no folder .*dejafake-small, community-forensics-384"):
        resolve("comunity-forensics", settings)
    (tmp_path / "model.pth").write_bytes(b"x")
    with pytest.raises(NotFoundError, match=re.escape("is a file: name the folder")):
        resolve(str(tmp_path / "model.pth"), settings)


def test_the_refused_folder_is_left_as_it_was(tiny_copy: Path, settings: Settings) -> None:
    edit_json(tiny_copy / "config.json", intermediate_size=3072)
    before = sorted((path.name, path.read_bytes()) for path in tiny_copy.iterdir())
    with pytest.raises(WeightsRefusedError):
        load_detector(settings, str(tiny_copy))
    assert sorted((path.name, path.read_bytes()) for path in tiny_copy.iterdir()) == before
    json.loads((tiny_copy / "config.json").read_text())
