"""A head learns what embeddings show, says honestly how well, and nothing from what they do not show."""

from dataclasses import replace

import numpy as np
import pytest

from indexer.detector import ResolvedDetector
from indexer.errors import UsageError
from indexer.evaluation.head_training import fitting, train_head
from indexer.evaluation.head_training.lesson import lesson_of
from indexer.heads import Head
from indexer.vocabulary import Technique
from tests.heads.planted_heads import GENERATORS, bundled, planted


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> ResolvedDetector:
    return bundled(tmp_path_factory.mktemp("home"))


def test_planted_classes_are_recovered_on_pictures_it_never_saw(detector: ResolvedDetector) -> None:
    labelled = planted()
    random = np.random.default_rng(9)
    rows = random.permutation(len(labelled))
    made = train_head(labelled.subset(np.sort(rows[:120])), "generator", detector, name="generators")
    head = Head(made.description, made.description.fingerprint, made.weights, made.bias)
    unseen = labelled.subset(np.sort(rows[120:]))
    unseen = unseen.subset(unseen.fake)
    answers = [GENERATORS[one] for one in np.argmax(head.scores(unseen.embeddings), axis=1)]
    assert np.mean([a == b for a, b in zip(answers, unseen.generators, strict=True)]) > 0.9
    said = made.description
    assert said.accuracy.value > 0.9
    assert said.accuracy.low <= said.accuracy.value <= said.accuracy.high
    assert said.macro_f1.value == pytest.approx(said.accuracy.value, abs=0.05)
    assert all(one.auc.value > 0.95 for one in said.classes)
    assert [one.name for one in said.classes] == list(GENERATORS)
    assert said.n == sum(one.n for one in said.classes) == np.sum(said.confusion)


def test_folded_weights_score_as_scikit_learn_s_pipeline_does() -> None:
    for target, classes in (("fake", 2), ("generator", 3)):
        labelled = planted(20)
        lesson = lesson_of(labelled, target)  # type: ignore[arg-type]
        model = fitting.fitted(lesson, 0.01)
        weights, bias = fitting.folded(model)  # type: ignore[arg-type]
        head = Head(None, "", weights, bias)  # type: ignore[arg-type]
        assert weights.shape == (classes, 384)
        expected = fitting.predicted(model, labelled.embeddings, classes)
        np.testing.assert_allclose(head.scores(labelled.embeddings), expected, atol=2e-6)


def test_fakes_are_told_from_authentic_pictures(detector: ResolvedDetector) -> None:
    said = train_head(planted(30), "fake", detector, name="mine").description
    assert [one.name for one in said.classes] == ["authentic", "fake"]
    assert said.auc is not None
    assert said.auc.value > 0.9
    assert said.majority == 0.75


def test_where_there_is_nothing_to_learn_the_figures_say_so(detector: ResolvedDetector) -> None:
    said = train_head(planted(60, apart=0), "fake", detector, name="mine").description
    assert said.auc is not None
    assert said.auc.low < 0.5 < said.auc.high


def test_pictures_of_one_group_are_never_on_both_sides(detector: ResolvedDetector) -> None:
    """Each picture is there twice under a label drawn by lot: only a split through pairs could tell its class."""
    random = np.random.default_rng(4)
    half = planted(30, apart=0)
    pairs = np.repeat(np.arange(len(half)), 2)
    noise = random.permutation(len(half)) < len(half) // 2
    twice = replace(half.subset(pairs), fake=noise[pairs])
    blind = train_head(twice, "fake", detector, name="mine").description
    grouped = replace(twice, groups=tuple(f"pair {one}" for one in pairs))
    honest = train_head(grouped, "fake", detector, name="mine").description
    assert blind.auc is not None
    assert honest.auc is not None
    assert blind.auc.value > 0.9, "without groups a head that knows the picture's twin looks brilliant"
    assert honest.auc.value < 0.65
    assert (blind.groups, honest.groups) == (None, len(half))


def test_a_class_of_too_few_pictures_is_left_out_and_named(detector: ResolvedDetector) -> None:
    labelled = planted(20)
    few = labelled.subset(np.array([one != "cirrus" or row % 20 < 4 for row, one in enumerate(labelled.generators)]))
    said = train_head(few, "generator", detector, name="mine").description
    assert [one.name for one in said.classes] == ["aurora", "borealis"]
    assert said.left_out == {"cirrus": "4 of 5 pictures needed"}


def test_a_class_of_one_group_cannot_be_judged_and_is_left_out(detector: ResolvedDetector) -> None:
    labelled = planted(20)
    groups = tuple("one shoot" if one == "cirrus" else None for one in labelled.generators)
    said = train_head(replace(labelled, groups=groups), "generator", detector, name="mine").description
    assert list(said.left_out) == ["cirrus"]


@pytest.mark.parametrize("target", ["fake", "technique"])
def test_one_class_is_refused_with_what_to_do(detector: ResolvedDetector, target: str) -> None:
    labelled = planted(20)
    only = labelled.subset(labelled.fake)
    with pytest.raises(UsageError, match="label"):
        train_head(only, target, detector, name="mine")  # type: ignore[arg-type]


def test_techniques_nobody_stated_are_not_a_class(detector: ResolvedDetector) -> None:
    labelled = planted(20)
    techniques = tuple(
        Technique.FACE_SWAP if one == "borealis" else technique
        for one, technique in zip(labelled.generators, labelled.techniques, strict=True)
    )
    said = train_head(replace(labelled, techniques=techniques), "technique", detector, name="mine").description
    assert [(one.name, one.n) for one in said.classes] == [("face_swap", 20), ("inpainting", 20)]


def test_the_same_pictures_and_seed_give_the_same_head(detector: ResolvedDetector) -> None:
    one, other = (train_head(planted(12), "generator", detector, name="mine", seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.weights, other.weights)
    assert replace(one.description, trained_at=other.description.trained_at) == other.description


def test_progress_comes_to_its_end_and_an_untrained_detector_is_named_as_such(detector: ResolvedDetector) -> None:
    untrained = replace(detector, spec=replace(detector.spec, trained=False))
    heard: list[tuple[str, int, int]] = []
    labelled = planted(12)
    made = train_head(labelled, "fake", untrained, name="mine", progress=lambda *said: heard.append(said))
    last = {step: (done, total) for step, done, total in heard}
    assert set(last) == {"fit", "judge"}
    assert all(done == total for done, total in last.values()), last
    head = Head(made.description, "", made.weights, made.bias)
    assert "untrained detector" in head.finding(labelled.embeddings[0]).statement


def test_a_name_that_could_be_a_path_is_refused_before_any_work(detector: ResolvedDetector) -> None:
    for name in ("../up", "", "A", "x" * 65, "a b", "nul\0"):
        with pytest.raises(UsageError, match="name"):
            train_head(planted(12), "fake", detector, name=name)
