"""Which output of a classifier means fake, from its class labels."""

import re
from typing import Final

from indexer.detector.configuration import Configuration
from indexer.detector.spec import Head
from indexer.errors import WeightsRefusedError

FAKE_WORDS: Final = frozenset(
    [
        "fake",
        "fakes",
        "faked",
        "deepfake",
        "deepfakes",
        "generated",
        "synthetic",
        "synthesized",
        "synthesised",
        "ai",
        "aigc",
        "artificial",
        "artificially",
        "manipulated",
        "manipulation",
        "forged",
        "forgery",
        "tampered",
        "spoof",
        "spoofed",
        "gan",
        "machine",
    ]
)
REAL_WORDS: Final = frozenset(
    [
        "real",
        "realism",
        "authentic",
        "genuine",
        "human",
        "natural",
        "nature",
        "original",
        "pristine",
        "bonafide",
        "camera",
        "photo",
        "photograph",
        "not",
        "non",
        "no",
        "un",
        "never",
        "without",
    ]
)

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def says_fake(label: str) -> bool:
    """Whether a class label means fake: it contains a word for fake and none that negates it ("not AI", "non-fake")."""
    words = {part.lower() for part in _PART.findall(label)}
    return bool(words & FAKE_WORDS) and not says_real(label)


def says_real(label: str) -> bool:
    """Whether a class label means genuine, or denies something."""
    return bool({part.lower() for part in _PART.findall(label)} & REAL_WORDS)


def head_of(labels: tuple[str, ...], where: str) -> Head:
    """The head for class `labels` in the order of the logits; `where` names their file in errors.

    One label: sigmoid of the one logit is p(fake), unless the label says the opposite. More: softmax.

    Raises:
        WeightsRefusedError: no label says fake, several do, or a lone label says real.
    """
    if len(labels) == 1:
        if says_real(labels[0]):
            raise WeightsRefusedError(f'{where}: the one logit is labelled "{labels[0]}", so it does not say fake')
        return Head("sigmoid", 0, labels)
    fakes = [index for index, label in enumerate(labels) if says_fake(label)]
    shown = ", ".join(f'"{label[:40]}"' for label in labels[:6]) + (", ..." if len(labels) > 6 else "")
    if not fakes:
        raise WeightsRefusedError(
            f"{where}: no class label says fake ({shown}): name the class of fakes, for example "
            '"id2label": {"0": "real", "1": "fake"}'
        )
    if len(fakes) > 1:
        raise WeightsRefusedError(f"{where}: {len(fakes)} class labels say fake ({shown}): exactly one must")
    return Head("softmax", fakes[0], labels)


def labels_by_index(configuration: Configuration, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Labels in the order of the logits from an object such as `{"0": "real", "1": "fake"}`, or from a list."""
    value = configuration.raw(key)
    if value is None:
        return default
    items = (
        list(enumerate(value)) if isinstance(value, list) else list(value.items()) if isinstance(value, dict) else []
    )
    try:
        labels = {int(index): label for index, label in items}
    except (TypeError, ValueError):
        raise configuration.wrong(key, value, 'labels by class number, such as {"0": "real", "1": "fake"}') from None
    if not labels or sorted(labels) != list(range(len(labels))) or not all(isinstance(x, str) for x in labels.values()):
        raise configuration.wrong(key, value, 'labels by class number, such as {"0": "real", "1": "fake"}')
    return tuple(labels[index] for index in range(len(labels)))
