"""One turn of the shared passes runs the detector and the copy descriptor; without a descriptor all else goes on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.arrays import Floats
from indexer.copies.descriptor import resolve_descriptor
from indexer.copies.descriptor.copy_descriptor import CopyDescriptor
from indexer.copies.descriptor.loading import load_descriptor
from indexer.detector import Detector, load_detector
from indexer.detector.shared_passes import SharedPasses, rows_of
from indexer.errors import DetectorError
from indexer.settings import Settings
from indexer.workspace import Workspace
from tests.gated_detectors import Gated
from tests.made_descriptors import edit_config, made_descriptor
from tests.tiny_detectors import tiny_detector


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("networks")
    detector, descriptor = tiny_detector(folder / "detector", seed=1), made_descriptor(folder / "descriptor")
    return Settings(
        home=folder / "home",
        detector=str(detector),
        copy_descriptor=str(descriptor),
        precision="fp32",
        runtime="eager",
    )


@pytest.fixture(scope="module")
def detector(given: Settings) -> Detector:
    return load_detector(given)


@pytest.fixture(scope="module")
def descriptor(given: Settings) -> CopyDescriptor:
    resolved = resolve_descriptor(given.copy_descriptor)
    assert resolved is not None
    return load_descriptor(given, resolved)


@pytest.fixture
def passes(detector: Detector, descriptor: CopyDescriptor) -> Iterator[SharedPasses]:
    made = SharedPasses(lambda: detector, 8, lambda: descriptor)
    yield made
    made.close()


def pictures(count: int) -> Floats:
    return np.random.default_rng(1).standard_normal((count, 3, 384, 384)).astype(np.float32)


def views(count: int) -> Floats:
    return np.random.default_rng(2).standard_normal((count, 3, 32, 32)).astype(np.float32)


def test_pictures_that_wait_together_get_the_embeddings_of_their_own_views(
    detector: Detector, descriptor: CopyDescriptor
) -> None:
    gated, sizes = Gated(detector), []

    class Counted:
        def run(self, batch: Floats) -> Floats:
            sizes.append(len(batch))
            return descriptor.run(batch)

    passes = SharedPasses(lambda: gated, 8, Counted)  # type: ignore[arg-type, return-value]
    ours, theirs = pictures(4), views(6)
    first = passes.submit(ours[0], theirs[:1])
    assert gated.entered.wait(60)
    waiting = [passes.submit(ours[1], theirs[1:4]), passes.submit(ours[2]), passes.submit(ours[3], theirs[4:])]
    gated.gate.set()
    seen = [one.result(60).copies for one in (first, *waiting)]
    passes.close()
    assert (gated.sizes, sizes) == ([1, 3], [1, 5])
    expected = descriptor.run(theirs)
    assert seen[2] is None
    for found, rows in zip((seen[0], seen[1], seen[3]), (slice(1), slice(1, 4), slice(4, 6)), strict=True):
        np.testing.assert_allclose(found, expected[rows], atol=1e-5)


def test_batches_run_both_networks_in_one_turn_or_either_alone(
    passes: SharedPasses, detector: Detector, descriptor: CopyDescriptor
) -> None:
    output, copies = passes.run_with_copies(pictures(2), views(5))
    np.testing.assert_allclose(output.embeddings, detector.run(pictures(2)).embeddings, atol=1e-5)
    np.testing.assert_allclose(copies, descriptor.run(views(5)), atol=1e-5)
    np.testing.assert_allclose(passes.embed(views(3)), descriptor.run(views(5))[:3], atol=1e-5)
    assert len(passes.run(pictures(1)).logits) == 1
    assert copies is not None
    assert [row.copies is None for row in rows_of(output, [copies[:3], None])] == [False, True]


def test_without_a_descriptor_the_detector_answers_alone(detector: Detector) -> None:
    passes = SharedPasses(lambda: detector, 8)
    assert passes.submit(pictures(1)[0], views(2)).result(60).copies is None
    assert passes.run_with_copies(pictures(1), views(1))[1] is None
    assert passes.embed(views(1)) is None
    passes.close()


def test_views_that_cannot_be_embedded_fail_their_own_picture_only(passes: SharedPasses) -> None:
    bad = np.full((1, 3, 32, 32), np.nan, np.float32)
    with pytest.raises(DetectorError, match="not finite"):
        passes.submit(pictures(1)[0], bad).result(60)
    assert passes.submit(pictures(1)[0], views(1)).result(60).copies is not None


def test_an_installation_loads_its_descriptor_when_it_is_first_asked(given: Settings) -> None:
    with Workspace(given) as workspace:
        assert workspace.resolved_descriptor is not None
        assert workspace.resolved_descriptor.spec.dimension == 16
        copies = workspace.passes.embed(views(2))
        assert copies is not None
        assert copies.shape == (2, 16)
        assert workspace.descriptor() is workspace.descriptor()
        assert workspace.descriptor_problem is None


def test_an_installation_without_a_usable_descriptor_says_why_and_works(given: Settings, tmp_path: Path) -> None:
    with Workspace(given.model_copy(update={"copy_descriptor": "off"})) as workspace:
        assert (workspace.descriptor(), workspace.descriptor_problem) == (None, None)
    with Workspace(given.model_copy(update={"copy_descriptor": str(tmp_path / "gone")})) as workspace:
        assert workspace.descriptor() is None
        assert str(workspace.descriptor_problem).startswith("no copy descriptor is in use: no copy descriptor and no")
        assert workspace.passes.submit(pictures(1)[0], views(1)).result(60).copies is None
    folder = made_descriptor(tmp_path / "mine")
    with Workspace(given.model_copy(update={"copy_descriptor": str(folder)})) as workspace:
        edit_config(folder, weights_sha256=None)
        (folder / "model.safetensors").write_bytes(b"")
        assert workspace.passes.embed(views(1)) is None
        assert "model.safetensors" in str(workspace.descriptor_problem)
