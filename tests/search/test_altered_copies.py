"""Altered copies of known fakes are found, verified and told apart from pictures that only share a part."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageOps
from sqlalchemy import update

from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.tables.copies import LocalFeaturesRow
from indexer.copies.verification.overlap import NEAR_BITS
from indexer.imaging.decoding import sha256_hex
from indexer.ingest.report import IngestOptions
from indexer.search.answers import SearchAnswer, SearchOptions
from indexer.settings import Settings
from indexer.sources import SourceItem
from indexer.verdict.limitations import LIMIT_COPIES_LACKING
from indexer.verdict.relations import Band
from indexer.vocabulary import LabelValue, Outcome, Relation
from indexer.workspace import Workspace
from tests.made_pictures import encoded, scene
from tests.search.test_same_verdict import FILTERS, LIMITS, said
from tests.tiny_detectors import tiny_detector

FAKES = range(4)
SIZE = scene(0).size


def template(inner: Image.Image) -> Image.Image:
    """A post of one service with this picture in it: its bar, its logo and its buttons are on every post."""
    post = Image.new("RGB", (SIZE[0] + 40, SIZE[1] + 160), "white")
    bar = scene(99, (SIZE[0] + 40, 60))
    post.paste(bar, (0, 0))
    post.paste(inner, (20, 70))
    draw = ImageDraw.Draw(post)
    for place in range(6):
        draw.regular_polygon((40 + 80 * place, SIZE[1] + 115, 20), 3 + place, fill="navy")
    return post


def altered(picture: Image.Image) -> Image.Image:
    """Cropped to about two thirds, mirrored, with a caption below."""
    part = ImageOps.mirror(picture.crop((40, 30, 440, 320)))
    captioned = Image.new("RGB", (part.width, part.height + 60), "black")
    captioned.paste(part, (0, 0))
    ImageDraw.Draw(captioned).text((20, part.height + 15), "You will not believe this", fill="white", font_size=28)
    return captioned


def collage(*pictures: Image.Image) -> Image.Image:
    """Four pictures side by side, two above two."""
    whole = Image.new("RGB", (2 * SIZE[0], 2 * SIZE[1]))
    for place, picture in enumerate(pictures):
        whole.paste(picture, (place % 2 * SIZE[0], place // 2 * SIZE[1]))
    return whole


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Scenes 0 to 3 and a post are known fakes, scene 10 is authentic; the detector has the layout of
    community-forensics-384, whose embeddings say nothing of copies."""
    home = tmp_path_factory.mktemp("home")
    detector = tiny_detector(home / "detector", seed=3)
    settings = Settings.load(home=home, detector=str(detector), precision="fp32", same_origin_min_cosine=1.0)
    with Workspace(settings) as opened:
        known = {**{f"{one}.png": scene(one) for one in FAKES}, "post.png": template(scene(50))}
        ingest(opened, known, LabelValue.FAKE)
        ingest(opened, {"genuine.png": scene(10)}, LabelValue.AUTHENTIC)
        opened.index.bring_up_to_date()
        yield opened


def ingest(workspace: Workspace, pictures: dict[str, Image.Image], label: LabelValue | None) -> None:
    items = [
        SourceItem("desk", name, lambda picture=picture: encoded(picture))  # type: ignore[misc]
        for name, picture in pictures.items()
    ]
    workspace.ingest(IngestOptions(label=label, stated_by="the desk" if label else "")).run(items)


def asked(workspace: Workspace, picture: Image.Image, options: SearchOptions | None = None) -> SearchAnswer:
    return workspace.searcher.by_bytes(encoded(picture, "JPEG", quality=85), options)


def test_a_cropped_captioned_mirrored_copy_of_a_known_fake_is_verified_and_the_answer_says_what_was_done(
    workspace: Workspace,
) -> None:
    answer = asked(workspace, altered(scene(1)))
    assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
    assert answer.verdict.summary.startswith("The same picture as a known fake, cropped to ")
    assert "mirrored and with a caption, bars or a frame added; labelled by the desk." in answer.verdict.summary
    match = answer.matches[0]
    assert (match.relation, match.score.band) == (Relation.SAME_PICTURE, Band.VERIFIED_COPY)
    assert match.overlap is not None
    assert match.overlap.mirrored
    assert match.overlap.known_share == pytest.approx(400 * 330 / (SIZE[0] * SIZE[1]), abs=0.03)
    assert [one.relation for one in answer.matches if one.holds] == [Relation.SAME_PICTURE]
    assert {"features", "verify", "copies"} <= answer.milliseconds.keys()


def test_a_collage_with_a_known_fake_in_it_shares_a_part_and_is_no_copy(workspace: Workspace) -> None:
    answer = asked(workspace, collage(scene(31), scene(2), scene(32), scene(33)))
    assert answer.verdict.outcome is Outcome.SHARES_PART_WITH_KNOWN_FAKE
    assert answer.verdict.summary.startswith("Part of this picture is in a known fake, labelled by the desk: it covers")
    (match,) = [one for one in answer.matches if one.holds]
    assert (match.relation, match.score.band) == (Relation.SHARES_PART, Band.SHARES_PART)
    assert match.overlap is not None
    assert match.overlap.query_box == pytest.approx((SIZE[0], 0, 2 * SIZE[0], SIZE[1]), abs=8)


def test_another_picture_in_the_same_template_is_not_the_same_picture(workspace: Workspace) -> None:
    answer = asked(workspace, template(scene(51)))
    assert answer.verdict.outcome is not Outcome.KNOWN_FAKE_MATCH
    assert Relation.SAME_PICTURE not in {one.relation for one in answer.matches if one.holds}


def test_what_the_hash_claims_needs_no_verification(workspace: Workspace) -> None:
    picture = scene(2)
    for copy, note in ((picture, None), (ImageOps.mirror(picture), "mirrored"), (ImageOps.invert(picture), "negative")):
        answer = asked(workspace, copy)
        assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
        score = answer.matches[0].score
        assert (score.measure, score.band, score.note) == ("pdq_distance", Band.NEAR_IDENTICAL, note)
        assert "verify" not in answer.milliseconds


def test_a_striped_copy_is_verified_by_its_features_its_near_hash_and_its_pixels(workspace: Workspace) -> None:
    covered = scene(2)
    draw = ImageDraw.Draw(covered)
    for left in range(0, SIZE[0], 60):
        draw.line((left, 0, left, SIZE[1]), "yellow", 12)
    match = asked(workspace, covered).matches[0]
    bits = next(score.value for score in match.scores if score.measure == "pdq_distance")
    assert 31 < bits <= NEAR_BITS
    assert (match.relation, match.score.band) == (Relation.SAME_PICTURE, Band.VERIFIED_COPY)


def test_an_unrelated_picture_is_not_found(workspace: Workspace) -> None:
    answer = asked(workspace, scene(77))
    assert answer.verdict.outcome is Outcome.NO_MATCH_FOUND
    assert not any(match.holds for match in answer.matches)


@pytest.mark.parametrize("query", [altered(scene(1)), collage(scene(31), scene(2), scene(32), scene(33))])
def test_the_verdict_on_a_copy_or_a_part_does_not_depend_on_what_is_listed(
    workspace: Workspace, query: Image.Image
) -> None:
    plain = asked(workspace, query)
    for options in [
        *(SearchOptions(limit=limit) for limit in (1, LIMITS[-1])),
        *(SearchOptions(filter=wanted) for wanted in (FILTERS[2], FILTERS[8], ImageFilter(label=LabelValue.FAKE))),
    ]:
        answer = asked(workspace, query, options)
        assert said(answer) == said(plain), options
        assert len(answer.matches) + answer.kept_out >= 1


def test_a_known_fake_that_pdq_finds_is_not_looked_at_more_closely(workspace: Workspace) -> None:
    answer = asked(workspace, scene(1).resize((360, 270)))
    assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
    assert answer.matches[0].score.band is Band.NEAR_IDENTICAL
    assert answer.matches[0].overlap is None
    assert "verify" not in answer.milliseconds


def test_a_genuine_picture_that_pdq_finds_does_not_hide_a_fake_made_of_it(workspace: Workspace) -> None:
    made = scene(10).copy()
    made.paste(scene(60, (90, 80)), (200, 140))
    ingest(workspace, {"made.png": altered(made)}, LabelValue.FAKE)
    answer = asked(workspace, made)
    assert answer.verdict.outcome is not Outcome.NO_MATCH_FOUND
    assert LabelValue.FAKE in {one.label for one in answer.verdict.matched}


def test_an_image_of_the_catalogue_is_compared_by_its_stored_features_without_its_file(workspace: Workspace) -> None:
    ingest(workspace, {"shared.png": altered(scene(3))}, None)
    workspace.index.refresh()
    sha256 = next(one.sha256 for one in workspace.images().items if one.label.source is None)
    workspace.originals.delete(sha256)
    answer = workspace.searcher.by_sha256(sha256)
    assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
    assert "the same file is in the catalogue" in answer.verdict.summary.lower()
    copy = next(one for one in answer.matches if one.relation is Relation.SAME_PICTURE)
    assert copy.score.band is Band.VERIFIED_COPY


def test_an_image_whose_stored_features_are_damaged_is_compared_by_everything_else(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    ingest(workspace, {"plain.png": scene(12)}, None)
    sha256 = sha256_hex(encoded(scene(12)))
    with workspace.catalog.writing() as session:
        (image_id,) = images.find_ids(session, [sha256]).values()
        session.execute(update(LocalFeaturesRow).where(LocalFeaturesRow.image_id == image_id).values(codes=b"no"))
    assert workspace.searcher.by_sha256(sha256).verdict.outcome is Outcome.INCONCLUSIVE
    assert f"image {sha256} is left out" in caplog.text


def test_a_catalogue_without_features_and_a_descriptor_that_is_missing_are_told_and_searched_all_the_same(
    tmp_path: Path,
) -> None:
    detector = tiny_detector(tmp_path / "detector", seed=3)
    old = Settings.load(home=tmp_path, detector=str(detector), copy_descriptor="off", local_features=False)
    with Workspace(old) as opened:
        ingest(opened, {"0.png": scene(0)}, LabelValue.FAKE)
    missing = Settings.load(home=tmp_path, detector=str(detector), copy_descriptor=str(tmp_path / "none"))
    with Workspace(missing) as opened:
        answer = asked(opened, scene(0).resize((360, 270)))
        assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
        assert LIMIT_COPIES_LACKING in answer.verdict.limitations
        assert any(limit.startswith("Altered copies may be missed: no copy") for limit in answer.verdict.limitations)
        assert asked(opened, altered(scene(0))).verdict.outcome is not Outcome.KNOWN_FAKE_MATCH
