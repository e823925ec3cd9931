"""The page stands alone, and text from outside is inert on it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from indexer.estimates import Estimate
from indexer.evaluation.page import evaluation_page
from indexer.evaluation.report import Evaluation
from indexer.evaluation.scores import Slice

HOSTILE = "<script>alert(1)</script>\"'>&$\\frac{a}{0}$ \u202egnp\x1b[2J"


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page(evaluation: Evaluation) -> str:
    return evaluation_page(evaluation)


def test_it_needs_nothing_from_elsewhere_and_runs_nothing(page: str) -> None:
    tags = Tags(page).found
    assert not {name for name, _ in tags} & {"script", "iframe", "object", "embed", "link", "img", "foreignobject"}
    for name, attributes in tags:
        for key, value in attributes.items():
            assert not key.startswith("on"), (name, key)
            if key in ("href", "src", "xlink:href"):
                assert value is not None
                assert value.startswith("#"), (name, value)
    assert "default-src 'none'" in page
    assert not re.search(r"url\((?!#)", page)


def test_ids_are_told_apart_and_references_lead_somewhere(page: str) -> None:
    ids = [str(attributes["id"]) for _, attributes in Tags(page).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:href="|url\()#([^")]+)', page):
        assert target in ids


def test_colours_follow_the_reader_not_the_plotter(page: str) -> None:
    assert page.count("<svg") == 10
    assert not set(re.findall(r"#0[0-9a-f]0[0-9a-f]0[0-9a-f]", page))
    assert "var(--fake)" in page
    assert "prefers-color-scheme: dark" in page


def test_it_says_what_was_measured_and_what_not(evaluation: Evaluation, page: str) -> None:
    assert "Read this first" in page
    assert evaluation.detector.fingerprint in page
    for limit in evaluation.limits:
        assert limit.split("'")[0] in page
    assert "(peer)" in page
    assert isinstance(evaluation.scores.roc_auc, Estimate)
    assert f"{evaluation.scores.roc_auc.value:.3f}" in page


def test_hostile_names_are_shown_as_text(evaluation: Evaluation) -> None:
    figure = Estimate(0.5, 0.4, 0.6)
    evil = Slice("generator", HOSTILE, 1, 1, figure, figure)
    named = replace(evaluation.pictures, name=HOSTILE, skipped={HOSTILE: 1})
    detector = replace(evaluation.detector, name=HOSTILE)
    page = evaluation_page(replace(evaluation, slices=(evil,), pictures=named, detector=detector))
    assert "<script" not in page
    assert "alert(1)" in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "[U+202E]" in page
    assert r"$\frac" in page  # as it is, not as a formula
    assert page.count("<svg") == 10


def test_an_untrained_detector_has_a_page_without_scores(untrained_evaluation: Evaluation) -> None:
    page = evaluation_page(untrained_evaluation)
    assert "not trained" in page
    assert "<h2>Scores</h2>" not in page
    assert "Finding known pictures again" in page
    assert "nan" not in re.sub(r"<[^>]*>", "", page).lower().split()
