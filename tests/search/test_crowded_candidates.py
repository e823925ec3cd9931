"""Blank pictures and drawings, which embeddings do not tell apart, never take the places of what a verdict rests on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.campaigns import cluster
from indexer.campaigns.novelty import outside_campaigns
from indexer.catalog.campaigns import campaigns
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.search.answers import SearchOptions
from indexer.vocabulary import LabelValue, Outcome
from indexer.workspace import Workspace
from tests.planted_catalogue import QUERY_VECTOR, Planted, plant, planted_workspace

FAKE = LabelValue.FAKE
BLANK = [Planted(FAKE, 0.999, content=3)] * 30
DRAWINGS = [Planted(FAKE, 0.998, content=40)] * 30
SCOPES = (FAKE, None)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with planted_workspace(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("crowd", [BLANK, DRAWINGS, BLANK + DRAWINGS], ids=["blank", "drawings", "both"])
def test_fakes_that_embeddings_do_not_tell_apart_crowd_no_relative_out(
    workspace: Workspace, crowd: list[Planted]
) -> None:
    *_, relative = plant(workspace, [*crowd, Planted(FAKE, 0.95, content=80)])
    for limit in (1, 10, 50):
        for scope in SCOPES:
            options = SearchOptions(limit=limit, likeness_label=scope)
            answer = workspace.searcher.by_embedding(QUERY_VECTOR.tolist(), options)
            assert answer.verdict.outcome is Outcome.SIMILAR_TO_KNOWN_FAKE
            assert [one.sha256 for one in answer.verdict.matched] == [relative]
            assert answer.matches[0].image.image.sha256 == relative, (limit, scope)


@pytest.mark.parametrize("crowd", [BLANK, DRAWINGS, BLANK + DRAWINGS], ids=["blank", "drawings", "both"])
def test_a_drawing_finds_the_changed_drawing_behind_others(workspace: Workspace, crowd: list[Planted]) -> None:
    query, *_, changed = plant(
        workspace, [Planted(None, 1.0, 0, content=40), *crowd, Planted(FAKE, 0.95, 60, content=40)]
    )
    answer = workspace.searcher.by_sha256(query)
    assert [one.sha256 for one in answer.verdict.matched if one.label is FAKE] == [changed]


def test_pictures_alone_in_such_a_crowd_are_like_none_of_it(workspace: Workspace) -> None:
    plant(workspace, [*BLANK, *DRAWINGS])
    answer = workspace.searcher.by_embedding(QUERY_VECTOR.tolist())
    assert answer.verdict.outcome is Outcome.NO_MATCH_FOUND
    assert not answer.verdict.matched


def test_images_whose_content_was_never_measured_still_count(workspace: Workspace) -> None:
    (known,) = plant(workspace, [Planted(FAKE, 0.95)])
    answer = workspace.searcher.by_embedding(QUERY_VECTOR.tolist())
    assert [one.sha256 for one in answer.verdict.matched] == [known]


def test_a_crowd_of_blank_fakes_hides_no_campaign_and_is_not_listed_as_outside_of_one(workspace: Workspace) -> None:
    alike = plant(workspace, [*BLANK, *[Planted(FAKE, 0.99, content=80)] * 3])[-3:]
    cluster(workspace.catalog, workspace.index, workspace.settings)
    with workspace.catalog.reading() as session:
        (only,) = campaigns.page(session, limit=10).items
        members = {member.sha256 for member in campaigns.members(session, only.id, limit=50).items}
    assert members == set(alike)
    assert outside_campaigns(workspace.catalog, 50).items == ()


@pytest.mark.parametrize("others", [{}, {"label": FAKE}, {"collections": ("team-a",)}])
def test_a_filter_by_content_pages_and_selects_the_same_images(workspace: Workspace, others: dict[str, object]) -> None:
    plant(workspace, [Planted(FAKE, content=one, collection="team-a") for one in (None, 0, 9, 10, 50, 100)])
    wanted = ImageFilter(least_content=10, **others)  # type: ignore[arg-type]
    with workspace.catalog.reading() as session:
        paged = [image.content for image in images.page(session, wanted, limit=10).items]
        ids = images.matching_ids(session, wanted)
    assert paged == [100, 50, 10, None]
    assert len(ids) == 4
