"""Searches, watches, campaigns, newcomers and novelties agree on which cosine counts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.calibration import OriginMap
from indexer.campaigns import cluster
from indexer.campaigns.joining.after_ingest import join_campaigns
from indexer.campaigns.novelty import Comparer, unlike_known
from indexer.campaigns.report.context import reporting
from indexer.catalog.campaigns import awaiting as awaiting_campaign
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.detections import calibrations
from indexer.catalog.images import images
from indexer.copies.verification.thumbnails import Thumbnails
from indexer.vocabulary import LabelValue, Outcome
from indexer.watching import Lookout
from indexer.workspace import Workspace
from tests.planted_catalogue import Planted, plant, planted_workspace
from tests.verdict.test_verdict import CALIBRATION, ORIGIN

FAKE = LabelValue.FAKE
NONE_COUNTS = replace(ORIGIN, suggested=None, confirmed=None)
RULES = [
    pytest.param((None, None), 0.9, id="the detector's own"),
    pytest.param((0.95, None), 0.95, id="the setting"),
    pytest.param((None, ORIGIN), 0.7, id="the calibration"),
    pytest.param((0.95, ORIGIN), 0.7, id="the calibration before the setting"),
    pytest.param((0.95, NONE_COUNTS), None, id="a calibration that found none, before the setting"),
    pytest.param((None, NONE_COUNTS), None, id="a calibration that found none"),
]


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    setting, origin = request.param
    with planted_workspace(tmp_path, same_origin_min_cosine=setting) as workspace:
        if origin is not None:
            calibrate(workspace, origin)
        yield workspace


def calibrate(workspace: Workspace, origin: OriginMap) -> None:
    resolved = workspace.resolved
    head = replace(CALIBRATION.head, kind=resolved.spec.head.kind, fake_index=resolved.spec.head.fake_index)
    measured = replace(CALIBRATION, fingerprint=resolved.fingerprint, head=head, same_origin=origin)
    with workspace.catalog.writing() as session:
        calibrations.add(session, measured)


@pytest.mark.parametrize(("opened", "expected"), RULES, indirect=["opened"])
def test_one_cosine_counts_everywhere(opened: Workspace, expected: float | None) -> None:
    searcher = opened.searcher
    assert searcher.thresholds().min_cosine == expected
    assert Lookout.of(opened)._thresholds().min_cosine == expected
    middle = 0.9 if expected is None else expected
    fake, nearer, farther = plant(
        opened,
        [Planted(FAKE, 1.0), Planted(None, middle + 0.004, p_fake=0.999), Planted(None, middle - 0.004, p_fake=0.999)],
    )
    run = cluster(opened.catalog, opened.index, opened.settings)
    assert run.parameters.get("same_origin_min_cosine") == expected
    alike = {
        sha256
        for sha256 in (nearer, farther)
        if searcher.by_sha256(sha256).verdict.outcome is Outcome.SIMILAR_TO_KNOWN_FAKE
        and any(match.holds and match.image.image.sha256 == fake for match in searcher.by_sha256(sha256).matches)
    }
    assert alike == (set() if expected is None else {nearer})
    page = unlike_known(
        Comparer(opened.catalog, opened.index, opened.resolved, opened.settings, searcher.calibration.get()), 9
    )
    assert {one.image.sha256 for one in page.items} == {nearer, farther} - alike


@pytest.mark.parametrize(("opened", "expected"), RULES, indirect=["opened"])
@pytest.mark.parametrize("bits", [None, 0], ids=["a series", "copies of one picture"])
def test_who_joins_a_campaign_by_its_embedding_stays_in_the_next_run(
    opened: Workspace, expected: float | None, bits: int | None
) -> None:
    apart = (0.9 if expected is None else expected + (1 - expected) / 4) ** 0.5
    plant(opened, [Planted(FAKE, apart, bits)] * 4)
    cluster(opened.catalog, opened.index, opened.settings)
    (newcomer,) = plant(opened, [Planted(FAKE, apart)])
    with opened.catalog.writing() as session:
        awaiting_campaign.add(session, list(images.find_ids(session, [newcomer]).values()))
    joined = join_campaigns(opened.catalog, opened.index, Thumbnails(opened.settings), opened.searcher.thresholds())
    assert [one.sha256 for one in joined] == ([] if expected is None else [newcomer])
    cluster(opened.catalog, opened.index, opened.settings)
    with opened.catalog.reading() as session:
        assert (campaign_members.find(session, [newcomer])[newcomer].campaign is None) == (expected is None)


@pytest.mark.parametrize("opened", [RULES[-1].values[0]], indirect=True)
def test_where_no_cosine_counts_the_run_says_so_and_copies_are_still_found(opened: Workspace) -> None:
    plant(opened, [*[Planted(FAKE, 1.0)] * 4, *[Planted(FAKE, 0.1, 0)] * 3])
    run = cluster(opened.catalog, opened.index, opened.settings)
    assert (run.campaigns, run.noise) == (1, 4)
    assert "no cosine" in str(run.parameters["embeddings"])
    with opened.catalog.reading() as session:
        told = reporting(session)
    assert told is not None
    assert told.bounds.min_cosine > 1
