"""Training the bundled copy descriptor, on a tiny network and made-up pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from indexer.copies.descriptor import resolve_descriptor
from indexer.copies.descriptor.network import CopyNetwork, NetworkShape, folded_state
from indexer.copies.descriptor.training.alterations import COLOURS, QUALITIES, SHAPES, Pixels
from indexer.copies.descriptor.training.config import BUNDLED, Phase, TrainingConfig, read_config
from indexer.copies.descriptor.training.loop import Training, new_network
from indexer.copies.descriptor.training.objectives import Memory, copy_loss, entropy_loss
from indexer.copies.descriptor.training.overlays import AROUND, OVER
from indexer.copies.descriptor.training.peers import pdq
from indexer.copies.descriptor.training.pictures import Source, gather, read_sources
from indexer.copies.descriptor.training.shipping import embed, ship
from indexer.copies.descriptor.training.supply import Supply, reshared
from indexer.copies.descriptor.training.unseen import UNSEEN
from indexer.copies.descriptor.training.validation import ask, judge, strangers, table
from indexer.errors import NotFoundError, UsageError


def made_up(count: int) -> list[Pixels]:
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (count, 6, 8, 3), dtype=np.uint8)
    return [np.asarray(cv2.resize(pixels, (80, 60), interpolation=cv2.INTER_CUBIC), np.uint8) for pixels in small]


@pytest.fixture
def config() -> TrainingConfig:
    return read_config(BUNDLED).model_copy(
        update={
            "widths": (8, 16),
            "depths": (1, 1),
            "dimension": 16,
            "side": 32,
            "phases": (Phase(steps=2, side=32, batch=4), Phase(steps=3, side=64, batch=2)),
            "memory": 16,
            "memory_after": 1,
            "save_every": 2,
            "whitening": 12,
            "background": 8,
        }
    )


def silent(step: int, metrics: dict[str, float]) -> None:
    assert all(np.isfinite(value) for value in metrics.values())


def test_a_run_that_was_cut_goes_on_to_the_very_same_weights(tmp_path: Path, config: TrainingConfig) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    uncut = Training(made_up(8), config, whole)
    uncut.run(silent)

    class KilledError(Exception):
        pass

    def killed_at_three(step: int, metrics: dict[str, float]) -> None:
        if step == 3:  # one step after the last save
            raise KilledError

    with pytest.raises(KilledError):
        Training(made_up(8), config, cut).run(killed_at_three)
    resumed = Training(made_up(8), config, cut)
    resumed.run(silent)

    assert (whole / "metrics.jsonl").exists() is False  # fewer than ten steps
    expected, found = uncut.average().state_dict(), resumed.average().state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.parametrize("size", [(60, 80), (200, 60), (24, 24)])
def test_every_alteration_gives_a_picture_of_bytes(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    before = pixels.copy()
    results = [alter(pixels, random) for alter in (*SHAPES, *COLOURS, *QUALITIES)]
    results += [alter(pixels, random, lambda: pixels) for alter in (*OVER, *AROUND, *UNSEEN.values())]
    for result in results:
        assert result.dtype == np.uint8
        assert result.ndim == 3
        assert result.shape[2] == 3
        assert min(result.shape[:2]) >= 1
    assert np.array_equal(pixels, before), "pictures are memory-mapped and shared: none may change"


def test_a_step_has_the_same_pictures_whenever_it_is_asked_for_and_an_epoch_shows_each_once() -> None:
    supply = Supply(made_up(8), seed=3, size=4, views=2)
    first, again = supply.batch(5, 32, 1.0), supply.batch(5, 32, 1.0)
    assert torch.equal(first.plain, again.plain)
    assert torch.equal(first.altered, again.altered)
    assert first.altered.shape == (8, 3, 32, 32)
    shown = torch.cat([supply.batch(step, 32, 0.0).numbers for step in (0, 1)])
    assert sorted(shown.tolist()) == list(range(8))


def test_what_is_named_unseen_is_drawn_by_no_chain_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = {alter.__name__ for alter in (*SHAPES, *COLOURS, *QUALITIES)} | {
        alter.__name__ for alter in (*OVER, *AROUND)
    }
    assert not drawn & {alter.__name__ for alter in UNSEEN.values()}
    random = np.random.default_rng(2)
    pictures = made_up(4)
    assert reshared(pictures[0], 32, 1.0, random, lambda: pictures[1]).shape == (32, 32, 3)


def test_the_loss_is_low_where_copies_lie_by_their_pictures_and_the_memory_of_a_picture_is_no_stranger() -> None:
    plain = torch.eye(4, 8)
    numbers = torch.arange(4)
    empty = Memory.empty(8)
    right = copy_loss(plain, plain.repeat(2, 1), numbers, empty, 0.05)
    wrong = copy_loss(plain, plain.roll(1, 0).repeat(2, 1), numbers, empty, 0.05)
    assert float(right) < 0.01 < 5 < float(wrong)
    same = Memory(plain.clone(), numbers.clone())
    assert float(copy_loss(plain, plain.repeat(2, 1), numbers, same, 0.05)) == pytest.approx(float(right), abs=1e-6)
    strange = Memory(plain.clone(), numbers + 4)
    assert float(copy_loss(plain, plain.repeat(2, 1), numbers, strange, 0.05)) > 0.4


def test_the_entropy_term_pushes_near_pictures_apart() -> None:
    apart, together = torch.eye(4), torch.nn.functional.normalize(torch.ones(4, 4) + 0.1 * torch.eye(4), dim=1)
    nobody = torch.empty(0, 4)
    assert float(entropy_loss(together, nobody)) > float(entropy_loss(apart, nobody))
    assert float(entropy_loss(apart, apart)) > float(entropy_loss(apart, nobody))


def test_folding_batch_normalisation_changes_no_embedding() -> None:
    torch.manual_seed(0)
    shape = NetworkShape((8, 16), (1, 2), 16, folded=False)
    network = CopyNetwork(shape)
    for _ in range(3):
        network(torch.randn(4, 3, 32, 32))
    folded = CopyNetwork(NetworkShape.from_dict(shape.to_dict()))
    folded.load_state_dict(folded_state(network.eval()))
    pictures = torch.randn(2, 3, 64, 64)
    assert torch.allclose(network(pictures), folded(pictures), atol=1e-5)


@pytest.mark.parametrize(
    "fields",
    [{}, {"widths": [8], "depths": [1, 1], "dimension": 8}, {"widths": [True], "depths": [1], "dimension": 8},
     {"widths": [8], "depths": [1], "dimension": 10**9}, {"widths": "ab", "depths": [1], "dimension": 8}],
)  # fmt: skip
def test_a_shape_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="model_args"):
        NetworkShape.from_dict(fields)


def test_what_is_shipped_is_read_as_a_copy_descriptor(tmp_path: Path, config: TrainingConfig) -> None:
    torch.manual_seed(0)
    network = new_network(config)
    ship(network, made_up(12), config, tmp_path / "weights")
    resolved = resolve_descriptor(str(tmp_path / "weights"))
    assert resolved is not None
    assert resolved.spec.dimension == 16
    background = resolved.background()
    assert background is not None
    assert background.vectors.shape == (8, 16)
    before = (tmp_path / "weights" / "model.safetensors").read_bytes()
    ship(network, made_up(12), config, tmp_path / "weights")
    assert (tmp_path / "weights" / "model.safetensors").read_bytes() == before


def test_validation_counts_the_copies_that_find_their_picture(config: TrainingConfig) -> None:
    known = made_up(20)
    asked = ask(known, each=2, seed=1)
    assert len(asked.pictures) == 2 * len(set(asked.families))
    random = np.random.default_rng(0)
    vectors = random.standard_normal((20, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    perfect = judge(vectors, vectors[asked.answers], asked)
    assert perfect.all_first == perfect.micro_ap == 1
    shifted = judge(vectors, vectors[(asked.answers + 1) % 20], asked, np.zeros(len(asked.answers), np.float32))
    assert shifted.all_first == 0
    assert shifted.micro_ap < 0.5
    assert strangers(vectors, vectors[asked.answers], asked, np.zeros(len(asked.answers), np.float32)).max() < 1
    assert any("stripes (unseen)" in line for line in table({"perfect": perfect, "shifted": shifted}))
    assert embed(new_network(config), known[:3], 32).shape == (3, 16)


def test_hashes_are_compared_as_vectors_of_length_one_whose_cosine_falls_with_the_distance() -> None:
    pictures = made_up(3)
    vectors = pdq([*pictures, pictures[0]])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert float(vectors[0] @ vectors[3]) == pytest.approx(1)
    assert float(vectors[0] @ vectors[1]) < 0.9


def test_gathering_leaves_out_near_duplicates_flat_tiny_and_broken_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    picture = cv2.resize(made_up(1)[0], (400, 300))
    cv2.imwrite(str(folder / "a.png"), picture)
    cv2.imwrite(str(folder / "b.jpg"), picture)
    cv2.imwrite(str(folder / "c.png"), np.full((200, 200, 3), 90, np.uint8))
    cv2.imwrite(str(folder / "d.png"), picture[:40, :40])
    (folder / "e.jpg").write_bytes(b"no picture")
    told: list[str] = []
    pictures = gather([Source("some", folder, most=10)], tmp_path / "kept", told.append)
    assert len(pictures) == 1
    assert pictures[0].shape == (240, 320, 3)
    assert told == ["some: 1 pictures"]
    with pytest.raises(NotFoundError, match="fetch the pictures of gone"):
        gather([Source("gone", tmp_path / "gone", most=1)], tmp_path / "kept", told.append)


def test_a_list_of_sources_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "sources.json"
    path.write_text('[{"folder": "x"}]', encoding="utf-8")
    with pytest.raises(UsageError, match="no list of sources"):
        read_sources(path)
    path.write_text("seed = 1", encoding="utf-8")
    with pytest.raises(UsageError, match="Field required"):
        read_config(path)
