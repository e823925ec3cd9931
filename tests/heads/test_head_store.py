"""Heads as files: what was saved is what answers, and whatever was tampered with is refused in one line."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from indexer.errors import ConflictError, NotFoundError, UsageError, WeightsRefusedError
from indexer.evaluation.head_training import TrainedHead, train_head
from indexer.heads import HeadStore
from indexer.heads import store as heads_store
from indexer.heads.store import DESCRIPTION, WEIGHTS
from tests.heads.planted_heads import bundled, planted


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TrainedHead:
    detector = bundled(tmp_path_factory.mktemp("home"))
    return train_head(planted(12), "generator", detector, name="generators")


@pytest.fixture
def store(tmp_path: Path, made: TrainedHead) -> HeadStore:
    """The heads of a detector, of which there is one."""
    opened = HeadStore(tmp_path / "heads", made.description.detector_fingerprint)
    opened.save(made.description, made.weights, made.bias)
    return opened


def test_what_was_saved_answers_the_same_when_it_is_read_by_another(store: HeadStore, made: TrainedHead) -> None:
    other = HeadStore(store.folder.parent, made.description.detector_fingerprint)
    head = other.load("generators")
    np.testing.assert_array_equal(head.weights, made.weights)
    np.testing.assert_array_equal(head.bias, made.bias)
    assert replace(head.description, weights_sha256="") == made.description
    (finding,) = other.findings(planted(12).embeddings[20])
    assert (finding.top, finding.fingerprint) == ("aurora", head.fingerprint)
    assert sum(one.score for one in finding.scores) == pytest.approx(1, abs=1e-5)
    assert [one.score for one in finding.scores] == sorted((one.score for one in finding.scores), reverse=True)
    assert "Your own head generators" in finding.statement
    assert "36 pictures of collection desk" in finding.statement


def test_only_finished_heads_are_in_the_folder(store: HeadStore) -> None:
    assert sorted(path.name for path in store.folder.iterdir()) == ["generators"]


def test_the_fingerprint_follows_weights_description_and_detector(store: HeadStore, made: TrainedHead) -> None:
    first = store.load("generators").fingerprint
    again = store.save(made.description, made.weights, made.bias, replace=True)
    assert again.fingerprint == first
    other = store.save(made.description, made.weights * np.float32(2), made.bias, replace=True)
    assert other.fingerprint != first
    assert replace(made.description, detector_fingerprint="0" * 64).fingerprint != made.description.fingerprint


def test_a_name_that_is_taken_is_refused_unless_it_is_to_be_replaced(store: HeadStore, made: TrainedHead) -> None:
    with pytest.raises(ConflictError, match="--replace"):
        store.save(made.description, made.weights, made.bias)
    with pytest.raises(ConflictError, match="--replace"):
        store.check_free("generators")
    store.check_free("others")
    store.save(made.description, made.weights, made.bias, replace=True)
    assert store.names() == ("generators",)


def test_a_removed_head_is_gone_at_once(store: HeadStore) -> None:
    vector = planted(12).embeddings[0]
    assert len(store.findings(vector)) == 1
    store.remove("generators")
    assert store.findings(vector) == ()
    with pytest.raises(NotFoundError, match="no head generators"):
        store.remove("generators")
    with pytest.raises(NotFoundError, match="head train"):
        store.load("generators")


def test_a_head_another_process_saved_is_heard_at_the_next_search(store: HeadStore, made: TrainedHead) -> None:
    vector = planted(12).embeddings[0]
    before = store.findings(vector)[0].fingerprint
    other = HeadStore(store.folder.parent, made.description.detector_fingerprint)
    replaced = other.save(made.description, made.weights, made.bias + np.float32(1), replace=True)
    other.save(replace(made.description, name="second"), made.weights, made.bias)
    found = store.findings(vector)
    assert [finding.name for finding in found] == ["generators", "second"]
    assert found[0].fingerprint == replaced.fingerprint != before


def other_weights(place: Path, weights: np.ndarray, bias: np.ndarray) -> None:
    (place / WEIGHTS).write_bytes(save({"weights": weights, "bias": bias}))


def resealed(place: Path, **changes: object) -> None:
    """The description changed by somebody who knows how digests work."""
    described = json.loads((place / DESCRIPTION).read_text()) | changes
    described["weights_sha256"] = hashlib.sha256((place / WEIGHTS).read_bytes()).hexdigest()
    described.pop("fingerprint")
    text = json.dumps(described, sort_keys=True, separators=(",", ":"))
    described["fingerprint"] = hashlib.sha256(text.encode()).hexdigest()
    (place / DESCRIPTION).write_text(json.dumps(described))


def forged_weights(place: Path) -> None:
    other_weights(place, np.ones((3, 384), np.float32), np.zeros(3, np.float32))


def wrong_shape(place: Path) -> None:
    other_weights(place, np.ones((2, 384), np.float32), np.zeros(2, np.float32))
    resealed(place)


def not_finite(place: Path) -> None:
    other_weights(place, np.full((3, 384), np.nan, np.float32), np.zeros(3, np.float32))
    resealed(place)


def double_precision(place: Path) -> None:
    other_weights(place, np.ones((3, 384)), np.zeros(3))
    resealed(place)


def no_safetensors(place: Path) -> None:
    (place / WEIGHTS).write_bytes(b"\xff" * 64)
    resealed(place)


def nicer_figures(place: Path) -> None:
    described = json.loads((place / DESCRIPTION).read_text())
    described["accuracy"]["value"] = 1.0
    (place / DESCRIPTION).write_text(json.dumps(described))


def of_another_detector(place: Path) -> None:
    resealed(place, detector_fingerprint="0" * 64)


def under_another_name(place: Path) -> None:
    resealed(place, name="others")


def of_the_future(place: Path) -> None:
    resealed(place, format=2)


def one_class(place: Path) -> None:
    resealed(place, classes=[])


def endless_name(place: Path) -> None:
    resealed(place, trained_on="x" * 10_000)


def another_table(place: Path) -> None:
    resealed(place, confusion=[[1]])


def no_json(place: Path) -> None:
    (place / DESCRIPTION).write_bytes(b"\x80\x04pickle")


def json_without_end(place: Path) -> None:
    (place / DESCRIPTION).write_text("[" * 200_000)


def json_of_nothing(place: Path) -> None:
    (place / DESCRIPTION).write_text("null")


def not_a_number(place: Path) -> None:
    described = json.loads((place / DESCRIPTION).read_text())
    described["accuracy"]["value"] = float("nan")
    (place / DESCRIPTION).write_text(json.dumps(described))


def no_weights(place: Path) -> None:
    (place / WEIGHTS).unlink()


def enormous(place: Path) -> None:
    os.truncate(place / WEIGHTS, 1 << 33)


def a_pipe(place: Path) -> None:
    (place / DESCRIPTION).unlink()
    os.mkfifo(place / DESCRIPTION)


def a_link_elsewhere(place: Path) -> None:
    (place / DESCRIPTION).rename(place.parent.parent / "elsewhere")
    (place / DESCRIPTION).symlink_to(place.parent.parent / "elsewhere")


@pytest.mark.parametrize(
    "tamper",
    [
        forged_weights,
        wrong_shape,
        not_finite,
        double_precision,
        no_safetensors,
        nicer_figures,
        of_another_detector,
        under_another_name,
        of_the_future,
        one_class,
        endless_name,
        another_table,
        no_json,
        json_without_end,
        json_of_nothing,
        not_a_number,
        no_weights,
        enormous,
        a_pipe,
        a_link_elsewhere,
    ],
    ids=lambda tamper: tamper.__name__.replace("_", " "),
)
def test_a_head_that_is_not_what_it_says_is_refused_and_never_stops_a_search(
    store: HeadStore, made: TrainedHead, tamper: Callable[[Path], None]
) -> None:
    store.save(replace(made.description, name="sound"), made.weights, made.bias)
    tamper(store.folder / "generators")
    with pytest.raises(WeightsRefusedError) as refusal:
        store.load("generators")
    assert "dejafake head remove generators" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400
    assert [finding.name for finding in store.findings(planted(12).embeddings[0])] == ["sound"]
    refused, sound = store.listings()
    assert (refused.name, refused.description, sound.refused) == ("generators", None, None)
    assert refused.refused == str(refusal.value)
    store.remove("generators")
    assert store.names() == ("sound",)


def test_folders_that_no_head_could_have_made_are_not_looked_at(store: HeadStore) -> None:
    for name in (".making-1", "UPPER", "a b", "x" * 65, "ünicode"):
        (store.folder / name).mkdir()
    (store.folder / "a-file").write_text("no folder")
    assert [finding.name for finding in store.findings(planted(12).embeddings[0])] == ["generators"]


@pytest.mark.parametrize("name", ["../generators", "..", "/etc", "", "a/b", "x" * 65])
def test_a_name_never_leaves_the_folder(store: HeadStore, name: str) -> None:
    for action in (store.load, store.remove, store.check_free):
        with pytest.raises(UsageError, match="name"):
            action(name)


def test_heads_of_another_detector_are_not_seen(store: HeadStore) -> None:
    other = HeadStore(store.folder.parent, "0" * 64)
    assert (other.names(), other.findings(planted(12).embeddings[0])) == ((), ())


def test_a_head_beyond_the_most_is_refused_when_made_and_told_of_when_found(
    store: HeadStore, made: TrainedHead, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(heads_store, "MOST", 2)
    store.save(replace(made.description, name="second"), made.weights, made.bias)
    for refused in (
        store.check_free,
        lambda name: store.save(replace(made.description, name=name), made.weights, made.bias),
    ):
        with pytest.raises(ConflictError, match="2 heads, which is the most: remove one"):
            refused("third")
    store.check_free("second", replace=True)
    store.save(replace(made.description, name="second"), made.weights, made.bias, replace=True)
    shutil.copytree(store.folder / "second", store.folder / "third")
    assert [finding.name for finding in store.findings(planted(12).embeddings[0])] == ["generators", "second"]
    assert "the head third is not asked" in caplog.text
    assert [one.name for one in store.listings() if one.refused and "not asked" in one.refused] == ["third"]


def test_a_search_costs_one_look_at_the_folder_while_nothing_changes(
    store: HeadStore, made: TrainedHead, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        store.save(replace(made.description, name=f"head-{number}"), made.weights, made.bias)
    os.utime(store.folder, ns=(1, 1))  # long ago
    vector = planted(12).embeddings[0]
    assert len(store.findings(vector)) == 6
    looked: list[Path] = []
    monkeypatch.setattr(Path, "lstat", lambda path: looked.append(path) or os.lstat(path))
    assert len(store.findings(vector)) == 6
    assert looked == [store.folder]
    store.remove("head-0")
    assert len(store.findings(vector)) == 5


def test_a_head_is_there_at_every_moment_of_being_replaced(
    store: HeadStore, made: TrainedHead, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = HeadStore(store.folder.parent, made.description.detector_fingerprint)
    before = store.load("generators").fingerprint
    seen: list[str] = []
    for name in ("replace", "rename", "unlink", "rmdir"):
        original = getattr(Path, name)

        def watched(path: Path, *given: object, original: Callable[..., object] = original, **named: object) -> object:
            seen.append(reader.load("generators").fingerprint)
            done = original(path, *given, **named)
            seen.append(reader.load("generators").fingerprint)
            return done

        monkeypatch.setattr(Path, name, watched)
    kept = store.save(made.description, made.weights, made.bias + np.float32(1), replace=True)
    monkeypatch.undo()
    assert set(seen) == {before, kept.fingerprint}
    assert seen == sorted(seen, key=[before, kept.fingerprint].index)
    assert not list(store.folder.rglob(".*"))


@pytest.mark.parametrize("at", [1, 2])
def test_a_replacement_killed_half_way_leaves_a_whole_head(
    at: int, store: HeadStore, made: TrainedHead, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    original = os.fsync

    def dies(file: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise KeyboardInterrupt
        original(file)

    before = store.load("generators").fingerprint
    monkeypatch.setattr(heads_store.os, "fsync", dies)
    other = made.bias + np.float32(1)
    with pytest.raises(KeyboardInterrupt):
        store.save(made.description, made.weights, other, replace=True)
    monkeypatch.undo()
    assert store.load("generators").fingerprint == before
    assert store.save(made.description, made.weights, other, replace=True).fingerprint != before
