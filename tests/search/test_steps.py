"""The steps of a picture are defined once: whoever runs them, wherever they run, takes the same and gets the same."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from indexer.examine.comparison import compare_pictures
from indexer.search.answers import SearchAnswer
from indexer.search.measurer import Measurer
from indexer.search.steps import in_this_thread
from indexer.search.stopwatch import Stopwatch
from indexer.settings import Settings
from indexer.workspace import Workspace
from search_api.service.pictures import in_threads
from tests.made_pictures import png

STEPS = ["decode", "views", "inputs", "measure"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, untrained_detector: Path) -> Iterator[Workspace]:
    home = tmp_path_factory.mktemp("home")
    with Workspace(Settings.load(home=home, detector=str(untrained_detector), precision="fp32")) as opened:
        yield opened


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were taken, in order."""
    names: list[str] = []

    def noted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: object) -> object:
            names.append(name)
            return work(*arguments)

        return step

    for name in STEPS:
        monkeypatch.setattr(Measurer, name, noted(name, getattr(Measurer, name)))
    return names


def served(workspace: Workspace, data: bytes) -> SearchAnswer:
    """The answer as the API makes it, each step in a thread of its own."""
    watch = Stopwatch()
    service: Any = SimpleNamespace(compute=asyncio.to_thread)
    measured, seen = asyncio.run(in_threads(service, workspace.searcher.steps(lambda: data, watch)))
    return workspace.searcher.by_seen(measured, seen.result(), watch)


def enriched(workspace: Workspace, data: bytes) -> SearchAnswer:
    """The answer as an enrichment makes it: prepared ahead, seen in a batch."""
    (answer,) = workspace.searcher.by_pictures([workspace.searcher.prepare(data)])
    return answer


def test_command_api_and_enrichment_take_the_same_steps_to_the_same_answer(
    workspace: Workspace, taken: list[str]
) -> None:
    data = png(1)
    here = workspace.searcher.by_bytes(data)
    assert taken == STEPS
    for elsewhere in (served, enriched):
        taken.clear()
        answer = elsewhere(workspace, data)
        assert taken[0] == "decode"
        assert sorted(taken) == sorted(STEPS)
        assert answer.query == here.query
        assert answer.detector == here.detector
        assert (answer.verdict.outcome, answer.verdict.limitations) == (here.verdict.outcome, here.verdict.limitations)


def test_a_comparison_takes_these_steps_for_each_picture_when_both_are_accepted(
    workspace: Workspace, taken: list[str]
) -> None:
    compare_pictures(workspace, png(1), png(2))
    assert taken == ["decode", "decode", *STEPS[1:], *STEPS[1:]]


def test_bytes_are_read_as_a_step_of_their_own_and_not_before(workspace: Workspace) -> None:
    read: list[bytes] = []

    def reading() -> bytes:
        read.append(png(1))
        return read[0]

    steps = workspace.searcher.steps(reading, Stopwatch())
    assert not read
    measured, _ = in_this_thread(steps)
    assert len(read) == 1
    assert measured.facts.kind == "image"
