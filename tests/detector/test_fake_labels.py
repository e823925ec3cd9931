"""Which output says fake is read from the labels, and refused when they do not tell."""

import pytest

from indexer.detector.configuration import Configuration
from indexer.detector.heads import head_of, labels_by_index, says_fake
from indexer.errors import WeightsRefusedError


@pytest.mark.parametrize(
    "label",
    [
        "fake",
        "Fake",
        "FAKE",
        "Deepfake",
        "AI",
        "ai-generated",
        "AIGenerated",
        "synthetic_image",
        "artificial",
        "1_fake",
    ],
)
def test_labels_that_say_fake(label: str) -> None:
    assert says_fake(label)


@pytest.mark.parametrize(
    "label",
    ["real", "Real", "human", "not_fake", "non-AI", "notAI", "Realism", "LABEL_1", "painting", "maison", "0_real"],
)
def test_labels_that_do_not(label: str) -> None:
    assert not says_fake(label)


@pytest.mark.parametrize(("labels", "index"), [(("real", "fake"), 1), (("artificial", "human"), 0)])
def test_the_fake_class_is_found_wherever_it_stands(labels: tuple[str, ...], index: int) -> None:
    head = head_of(labels, "config.json")
    assert (head.kind, head.fake_index) == ("softmax", index)


def test_one_logit_needs_no_telling_label() -> None:
    assert head_of(("LABEL_0",), "config.json").kind == "sigmoid"


def test_one_logit_that_says_real_is_refused() -> None:
    with pytest.raises(WeightsRefusedError, match='labelled "real"'):
        head_of(("real",), "config.json")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("LABEL_0", "LABEL_1"), "no class label says fake"),
        (("real", "sd_generated", "gan_generated"), "2 class labels say fake"),
        (("real", "not fake"), "no class label says fake"),
    ],
)
def test_labels_that_leave_it_open_are_refused(labels: tuple[str, ...], words: str) -> None:
    with pytest.raises(WeightsRefusedError, match=words):
        head_of(labels, "config.json")


def test_labels_are_ordered_by_number_not_by_place() -> None:
    configuration = Configuration(
        "config.json", {"id2label": {"10": "k", **{str(i): "abcdefghij"[i] for i in range(10)}}}
    )
    assert labels_by_index(configuration, "id2label", ()) == tuple("abcdefghijk")
