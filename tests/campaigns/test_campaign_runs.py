import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.campaigns import cluster
from indexer.campaigns.reasons import reason_words, reasons_words
from indexer.catalog.campaigns import campaigns
from indexer.catalog.detections import calibrations
from indexer.catalog.images import images, labels
from indexer.catalog.records.campaigns import Campaign, CampaignMember
from indexer.catalog.records.labels import NewLabel
from indexer.sightings import NewSighting
from indexer.vocabulary import LabelSource, LabelValue
from tests.campaigns.shelves import Shelf, mirrored, origin
from tests.made_pictures import encoded, generated_png, png, recompressed, scene
from tests.verdict.test_verdict import CALIBRATION


def found(shelf: Shelf) -> dict[Campaign, tuple[CampaignMember, ...]]:
    with shelf.catalog.reading() as session:
        every = campaigns.page(session, limit=100).items
        return {one: campaigns.members(session, one.id, limit=100).items for one in every}


def groups(shelf: Shelf) -> dict[str, set[str]]:
    return {one.id: {member.sha256 for member in members} for one, members in found(shelf).items()}


def add_copies(shelf: Shelf, seed: int, **options: object) -> set[str]:
    """Four copies of one picture, with embeddings that have nothing in common."""
    copies = (
        png(seed),
        recompressed(seed),
        encoded(scene(seed).resize((300, 225)), "PNG"),
        encoded(mirrored(scene(seed)), "JPEG", quality=70),
    )
    return {
        shelf.add(copy, origin(1000 + seed, number, 5.0), **options)  # type: ignore[arg-type]
        for number, copy in enumerate(copies)
    }


def add_series(shelf: Shelf, seed: int, count: int = 5, first: int = 0) -> set[str]:
    """Different pictures whose embeddings are near each other."""
    return {shelf.add(png(100 * seed + number), origin(seed, number)) for number in range(first, first + count)}


def test_copies_of_one_picture_are_a_campaign_mirrored_ones_too_and_each_says_why(untrained_shelf: Shelf) -> None:
    copies = add_copies(untrained_shelf, 1)
    untrained_shelf.add(png(2), origin(2, 0))
    run = cluster(untrained_shelf.catalog, untrained_shelf.index, untrained_shelf.settings)
    assert (run.images, run.campaigns, run.noise) == (5, 1, 1)
    ((campaign, members),) = found(untrained_shelf).items()
    assert {member.sha256 for member in members} == copies
    assert campaign.name == "Campaign of 4 images"
    assert 0.8 < campaign.cohesion <= 1
    reasons = [reason for member in members for reason in reasons_words(member.reasons)]
    assert len(reasons) == 4
    assert sum(reason.startswith("same picture, PDQ ") for reason in reasons) == 3
    assert sum(reason.startswith("same picture mirrored, PDQ ") for reason in reasons) == 1
    assert sum(member.exemplar for member in members) == 1
    assert all(0.8 < member.strength <= 1 for member in members)


def test_embeddings_of_an_untrained_detector_group_nothing_and_the_run_says_so(untrained_shelf: Shelf) -> None:
    add_series(untrained_shelf, 1)
    run = cluster(untrained_shelf.catalog, untrained_shelf.index, untrained_shelf.settings)
    assert run.campaigns == 0
    assert run.parameters["embeddings"] == "not used: the detector is not trained"


def test_pictures_of_one_origin_are_a_campaign_when_the_detector_is_trained(shelf: Shelf) -> None:
    one, other = add_series(shelf, 1), add_series(shelf, 2, count=4)
    shelf.add(png(9), origin(9, 0))
    run = cluster(shelf.catalog, shelf.index, shelf.settings)
    assert (run.campaigns, run.noise) == (2, 1)
    assert sorted(map(sorted, groups(shelf).values())) == sorted(map(sorted, [one, other]))
    for campaign, members in found(shelf).items():
        assert campaign.cohesion > 0.9
        for member in members:
            assert reason_words(member.reasons[0]).startswith("same origin, cosine 0.9")
            assert "(uncalibrated)" in reason_words(member.reasons[0])


def test_only_known_fakes_are_grouped_and_others_do_not_crowd_them_out(shelf: Shelf) -> None:
    fakes = add_series(shelf, 1, count=3)
    for number in range(10, 20):
        shelf.add(png(200 + number), origin(1, number, 0.001), LabelValue.AUTHENTIC)
    settings = shelf.settings.model_copy(update={"campaign_neighbours": 2})
    run = cluster(shelf.catalog, shelf.index, settings)
    assert run.images == 3
    assert list(groups(shelf).values()) == [fakes]


@pytest.mark.parametrize("pictures", [0, 1, 2])
def test_too_few_images_make_a_run_without_campaigns(shelf: Shelf, pictures: int) -> None:
    for number in range(pictures):
        shelf.add(png(number), origin(1, number))
    run = cluster(shelf.catalog, shelf.index, shelf.settings)
    assert (run.images, run.campaigns, run.noise) == (pictures, 0, pictures)
    with shelf.catalog.reading() as session:
        assert campaigns.last_run(session) == run


def test_ids_and_given_names_survive_new_images_and_automatic_names_follow(shelf: Shelf) -> None:
    seen = [NewSighting(url="https://a.example/1", posted_at=datetime(2026, 3, 2, 12, tzinfo=UTC))]
    add_series(shelf, 1)
    add_copies(shelf, 5, seen=seen)
    cluster(shelf.catalog, shelf.index, shelf.settings)
    before = {one.size: one for one in found(shelf)}
    assert before[4].name == "Campaign of 4 images, first seen 2026-03-02"
    with shelf.catalog.writing() as session:
        campaigns.rename(session, before[5].id, "Operation Teapot")
    add_series(shelf, 1, count=3, first=5)
    shelf.add(encoded(scene(5), "JPEG", quality=40), origin(77, 0))
    cluster(shelf.catalog, shelf.index, shelf.settings)
    after = {one.size: one for one in found(shelf)}
    assert (after[8].id, after[8].name) == (before[5].id, "Operation Teapot")
    assert (after[5].id, after[5].name) == (before[4].id, "Campaign of 5 images, first seen 2026-03-02")


def test_the_same_images_give_the_same_campaigns_whatever_the_order_they_came_in(tmp_path: Path) -> None:
    pictures = [(png(100 * seed + number), origin(seed, number, 0.08)) for seed in (1, 2) for number in range(5)]
    pictures += [(recompressed(seed), origin(4, seed)) for seed in (100, 200)]
    # copies of the same size: which of them stands for the picture must not depend on who came first
    pictures += [(encoded(scene(7), "JPEG", quality=quality), origin(7, quality)) for quality in (90, 80, 70, 60)]
    results = []
    for name, order in (("one", pictures), ("other", pictures[::-1])):
        shelf = Shelf(tmp_path / name)
        for data, vector in order:
            shelf.add(data, vector)
        cluster(shelf.catalog, shelf.index, shelf.settings)
        first = {one.id: members for one, members in found(shelf).items()}
        cluster(shelf.catalog, shelf.index, shelf.settings)
        assert {one.id: members for one, members in found(shelf).items()} == first
        results.append(first)
        shelf.close()
    assert results[0] == results[1]
    assert results[0]


def test_a_run_that_is_stopped_leaves_the_old_campaigns(shelf: Shelf) -> None:
    add_series(shelf, 1)
    cluster(shelf.catalog, shelf.index, shelf.settings)
    before = found(shelf)
    add_series(shelf, 2)

    def stop(step: str, done: int, total: int) -> None:
        if step == "describing campaigns" and done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster(shelf.catalog, shelf.index, shelf.settings, progress=stop)
    assert found(shelf) == before


def test_an_image_that_is_no_fake_any_more_or_was_deleted_leaves_its_campaign(shelf: Shelf) -> None:
    members = sorted(add_series(shelf, 1, count=7))
    cluster(shelf.catalog, shelf.index, shelf.settings)
    ((campaign_id, _),) = groups(shelf).items()
    with shelf.catalog.writing() as session:
        image_id = images.find_ids(session, [members[0]])[members[0]]
        labels.state(session, image_id, [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "desk")])
        images.delete(session, members[1], "asked for")
    cluster(shelf.catalog, shelf.index, shelf.settings)
    assert groups(shelf) == {campaign_id: set(members[2:])}


def test_progress_names_each_step_and_reaches_its_end(shelf: Shelf) -> None:
    add_series(shelf, 1)
    told: dict[str, tuple[int, int]] = {}
    cluster(shelf.catalog, shelf.index, shelf.settings, progress=lambda step, *at: told.__setitem__(step, at))
    assert list(told) == [
        "reading known fakes",
        "comparing PDQ hashes",
        "comparing embeddings",
        "grouping",
        "describing campaigns",
    ]
    assert all(done == total for done, total in told.values())


def test_different_pictures_of_one_recipe_are_a_campaign_without_any_detector(untrained_shelf: Shelf) -> None:
    made_alike = {untrained_shelf.add(generated_png(seed), origin(seed, 0)) for seed in (1, 2, 3, 4)}
    untrained_shelf.add(generated_png(5, model_hash="0123456789"), origin(5, 0))
    untrained_shelf.add(png(6), origin(6, 0))
    run = cluster(untrained_shelf.catalog, untrained_shelf.index, untrained_shelf.settings)
    ((_, members),) = found(untrained_shelf).items()
    assert {member.sha256 for member in members} == made_alike
    assert run.parameters["same_recipe_links"] == 4
    for member in members:
        (reason,) = member.reasons
        assert reason_words(reason).startswith("same model, seed and prompt by what the files say (to ")


def test_a_recipe_adds_to_a_campaign_of_embeddings_and_each_says_its_own_reason(shelf: Shelf) -> None:
    alike = [shelf.add(data, origin(1, number)) for number, data in enumerate([png(11), png(12), generated_png(13)])]
    by_recipe = shelf.add(generated_png(14), origin(2, 0))
    cluster(shelf.catalog, shelf.index, shelf.settings)
    ((_, members),) = found(shelf).items()
    reasons = {member.sha256: " ".join(reasons_words(member.reasons)) for member in members}
    assert set(reasons) == {*alike, by_recipe}
    assert "same origin, cosine" in reasons[alike[0]]
    assert "same model, seed and prompt" in reasons[by_recipe]


def test_where_a_calibration_exists_links_are_weighed_by_it_and_the_run_and_the_reasons_say_so(shelf: Shelf) -> None:
    add_series(shelf, 1)
    with shelf.catalog.writing() as session:
        version = calibrations.add(session, CALIBRATION).version
    run = cluster(shelf.catalog, shelf.index, shelf.settings)
    assert run.parameters["embeddings"] == f"same origin, weighed by calibration {version}"
    origin = CALIBRATION.same_origin
    assert origin is not None
    assert origin.suggested is not None
    assert run.parameters["same_origin_min_cosine"] == origin.suggested.min_cosine
    ((_, members),) = found(shelf).items()
    assert all(
        re.match(r"same origin 0\.9\d, calibrated 0\.\d\d \(to ", reason_words(member.reasons[0])) for member in members
    )
