"""Training: nothing that may not be trained on is, a cut run continues as if nothing had happened, and what is shipped
computes what was trained."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.detector import load_detector
from indexer.detector.training import manipulations, views
from indexer.detector.training.checkpoints import CHECKPOINT, saved_part
from indexer.detector.training.config import BUNDLED, TrainingConfig, read_config
from indexer.detector.training.finishing import finish
from indexer.detector.training.loop import Training
from indexer.detector.training.material import cut_outs, read_manifest, split_photographs, tiles
from indexer.detector.training.network import TrainingNetwork
from indexer.detector.training.photographs import Photograph
from indexer.detector.training.shipping import ship
from indexer.detector.training.supply import Supply
from indexer.errors import UsageError
from indexer.settings import Settings
from indexer.threads import limit_torch
from tests.made_pictures import scene

GENERATORS = ("known", "stylegan2", "unseen")


@pytest.fixture(scope="module")
def config() -> TrainingConfig:
    return read_config(BUNDLED).model_copy(
        update={
            "unseen_generators": ("unseen",),
            "depth": 1,
            "mlp_ratio": 1.0,
            "conv_stem": ((8, 2), (8, 2), (8, 2), (8, 2)),
            "tiles_per_photograph": 2,
            "manipulated_share": 1.0,
            "autoencoder_steps": 2,
            "stem_steps": 2,
            "stem_batch": 6,
            "steps": 7,
            "whole_picture_steps": 1,
            "batch": 6,
            "window": 64,
            "patches": 40,
            "warmup_steps": 1,
            "memory": 16,
            "save_every": 3,
            "finishing_batches": 8,
        }
    )


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "sha256", "label", "generator", "group"])
        for number in range(48):
            scene(number, (256, 256)).save(folder / f"{number}.png")
            real = number % 4 == 3
            generator = "" if real else GENERATORS[number % 4]
            writer.writerow(
                [f"{number}.png", f"{number:064x}", "real" if real else "fake", generator, f"prompt {number // 4}"]
            )
    return folder / "manifest.csv"


@pytest.fixture(scope="module")
def supply(config: TrainingConfig, manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Supply:
    folder = tmp_path_factory.mktemp("photographs")
    photographs = []
    for number in range(3):
        path = folder / f"{number}.jpg"
        scene(100 + number, (640, 400)).save(path)
        photographs.append(Photograph(path.name, path))
    generated = [picture for picture in read_manifest(manifest, config) if picture.side == "train"]
    return Supply(photographs, generated, config, lambda words: None)


def test_real_pictures_of_the_manifest_and_unseen_generators_are_never_trained_on(
    manifest: Path, config: TrainingConfig
) -> None:
    for picture in read_manifest(manifest, config):
        if not picture.fake:
            assert picture.side == "evaluation_only"
        elif picture.generator == "unseen":
            assert picture.side == "unseen_generator"


def test_a_prompt_is_on_one_side_for_all_generators(manifest: Path, config: TrainingConfig) -> None:
    sides: dict[str, set[str]] = {}
    for picture in read_manifest(manifest, config):
        if picture.side in ("train", "held_out"):
            sides.setdefault(picture.group, set()).add(picture.side)
    assert all(len(found) == 1 for found in sides.values())
    assert {side for found in sides.values() for side in found} == {"train", "held_out"}


def test_photographs_are_split_by_name_alone(config: TrainingConfig) -> None:
    photographs = [Photograph(f"package/{number}.jpg", Path(f"{number}.jpg")) for number in range(40)]
    trained_on, kept = split_photographs(photographs, config)
    assert len(trained_on) + len(kept) == 40
    assert set(trained_on).isdisjoint(kept)
    assert kept
    assert split_photographs(photographs[::-1], config) == (trained_on, kept)


def test_a_manifest_without_groups_is_refused(tmp_path: Path, config: TrainingConfig) -> None:
    (tmp_path / "list.csv").write_text("path,sha256,label\na.png,00,fake\n")
    with pytest.raises(UsageError, match="not a manifest to train with"):
        read_manifest(tmp_path / "list.csv", config)


def test_a_configuration_with_an_unknown_or_wrong_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(BUNDLED.read_text() + "\nsped = 3\n")
    with pytest.raises(UsageError, match="sped"):
        read_config(path)


def test_every_manipulation_changes_the_picture_and_keeps_its_shape() -> None:
    pixels, other = (np.asarray(scene(seed, (384, 384)).convert("RGB")) for seed in (1, 2))
    for change in (manipulations.upsampled, *manipulations.LOCAL.values()):
        changed = change(pixels, other, np.random.default_rng(3))
        assert changed.shape == pixels.shape
        assert changed.dtype == np.uint8
        assert (changed != pixels).mean() > 0.01


def test_views_have_one_size_whatever_the_picture_had() -> None:
    for side in (256, 700):
        pixels = np.asarray(scene(4, (side, side)).convert("RGB"))
        for seed in range(8):
            seen = views.views(pixels, 0.5, np.random.default_rng(seed))
            assert seen.plain.shape == seen.copy.shape == (384, 384, 3)


def test_tiles_are_cut_at_many_scales() -> None:
    pixels = np.asarray(scene(5, (1200, 900)).convert("RGB"))
    cut = tiles(pixels, 6, np.random.default_rng(0))
    assert {tile.shape for tile in cut} == {(384, 384, 3)}
    assert len({tile.tobytes() for tile in cut}) == 6


def test_cut_outs_of_a_photograph_share_its_memory() -> None:
    pixels = np.asarray(scene(5, (1200, 900)).convert("RGB"))
    cut = cut_outs(pixels, 6, np.random.default_rng(0))
    assert all(np.shares_memory(one, pixels) for one in cut)
    assert min(map(len, cut)) < 500 < max(map(len, cut)) <= 900


def test_machine_made_faces_and_local_changes_count_little_in_the_verdict(supply: Supply) -> None:
    """Both would teach what a picture shows instead of how it was made."""
    little = {"splice", "inpainting", "warp", "stylegan2"}
    for step in range(8):
        batch = supply.stem_batch(step)
        for kind, weight in zip(batch.kinds.tolist(), batch.weights.tolist(), strict=True):
            assert weight == (0.25 if supply.kinds[kind] in little else 1.0)


def test_a_batch_depends_on_its_step_alone(supply: Supply) -> None:
    once, again, next_one = supply.batch(2), supply.batch(2), supply.batch(3)
    assert torch.equal(once.plain, again.plain)
    assert torch.equal(once.copy, again.copy)
    assert not torch.equal(once.plain, next_one.plain)
    assert set(once.fake.tolist()) == {0.0, 1.0}


def test_tiles_of_one_photograph_are_no_strangers(supply: Supply) -> None:
    """They overlap: as strangers they would teach that a crop is another picture."""
    contents = {content for step in range(8) for content in supply.batch(step).contents.tolist()}
    photographs = {
        content
        for step in range(8)
        for content, fake in zip(supply.batch(step).contents.tolist(), supply.batch(step).fake.tolist(), strict=True)
        if not fake
    }
    assert photographs == {0, 1, 2}
    assert len(contents) > 3


def test_the_stem_stays_as_it_is_when_the_transformer_learns(
    supply: Supply, config: TrainingConfig, tmp_path: Path
) -> None:
    stems = []
    for name, steps in (("stem", config.stem_steps), ("whole", config.steps)):
        (tmp_path / name).mkdir()
        training = Training(supply, config.model_copy(update={"steps": steps}), tmp_path / name)
        training.run(lambda step, metrics: None)
        stems.append(saved_part(tmp_path / name / CHECKPOINT, "network"))
    for tensor in (name for name in stems[0] if name.startswith("stem.")):
        assert torch.equal(stems[0][tensor], stems[1][tensor])
    assert not torch.equal(stems[0]["proj.weight"], stems[1]["proj.weight"])


def test_the_stem_starts_with_filters_that_content_does_not_drown(supply: Supply, config: TrainingConfig) -> None:
    first = TrainingNetwork(config, len(supply.kinds)).stem[0].weight[::2]
    ramp = torch.arange(3.0)[None, None, :, None] + 2 * torch.arange(3.0)[None, None, None, :] + 5
    assert (first * ramp).sum(dim=(2, 3)).abs().max() < 1e-5
    assert first.abs().max() > 1e-3


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    limit_torch(1)


def test_a_run_that_was_cut_ends_like_one_that_was_not(supply: Supply, config: TrainingConfig, tmp_path: Path) -> None:
    class CutError(Exception):
        pass

    def cut(step: int, metrics: dict[str, float]) -> None:
        if step == 4:
            raise CutError

    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole = Training(supply, config, tmp_path / "whole").run(lambda step, metrics: None)
    with pytest.raises(CutError):
        Training(supply, config, tmp_path / "cut").run(cut)
    seen = []
    continued = Training(supply, config, tmp_path / "cut").run(lambda step, metrics: seen.append(step))
    assert seen == [4, 5, 6, 7]
    for name, values in whole.items():
        torch.testing.assert_close(continued[name], values, rtol=1e-4, atol=1e-5)


def test_what_is_shipped_computes_what_was_trained(
    supply: Supply, config: TrainingConfig, tmp_path: Path, settings: Settings
) -> None:
    torch.manual_seed(1)
    network = TrainingNetwork(config, len(supply.kinds))
    network.train()
    pictures = supply.batch(0).plain
    for _ in range(3):  # moves the running statistics that are folded
        network(pictures)
    network.eval()
    ship(network.state_dict(), config, tmp_path / "weights")
    detector = load_detector(settings.model_copy(update={"detector": str(tmp_path / "weights"), "precision": "fp32"}))
    with torch.inference_mode():
        cls = network(pictures)
        logits = network.verdict(cls)
    output = detector.run(pictures)
    np.testing.assert_allclose(output.cls, cls.numpy(), atol=2e-2)  # half precision in the file
    np.testing.assert_allclose(output.logits[:, 0], logits.numpy(), atol=2e-2)
    first = (tmp_path / "weights" / "model.safetensors").read_bytes()
    ship(network.state_dict(), config, tmp_path / "weights")
    assert (tmp_path / "weights" / "model.safetensors").read_bytes() == first


def test_the_finished_embedding_is_standard_and_the_verdict_fits_it(supply: Supply, config: TrainingConfig) -> None:
    torch.manual_seed(2)
    before = TrainingNetwork(config, len(supply.kinds)).state_dict()
    after = finish(before, supply, config, lambda words: None)
    changed = {name.rpartition(".")[0] for name, values in before.items() if not torch.equal(values, after[name])}
    assert changed == {"transformer.norm", "transformer.head"}
    network = TrainingNetwork(config, len(supply.kinds))
    network.load_state_dict(after)
    network.eval()
    batches = [supply.stem_batch(step) for step in range(config.steps, config.steps + config.finishing_batches)]
    with torch.inference_mode():
        cls = torch.cat([network(batch.plain) for batch in batches])
        logits = network.verdict(cls)
    assert cls.mean(dim=0).abs().mean() < 0.4
    assert 0.8 < cls.std(dim=0).mean() < 1.2
    fake = torch.cat([batch.fake for batch in batches])
    assert logits[fake == 1].mean() > logits[fake == 0].mean()
