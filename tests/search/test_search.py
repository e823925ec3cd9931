"""One query against a real catalogue on both databases: what is found, by which relation, and what is said of it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from indexer.campaigns import cluster
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.errors import ImageRejectedError, NotFoundError, UsageError
from indexer.examine.comparison import compare_pictures
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.hashing import hamming, pdq_hash
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.search.answers import SearchAnswer, SearchOptions
from indexer.settings import Settings
from indexer.sightings import NewSighting
from indexer.sources import SourceItem
from indexer.verdict.findings import Reading
from indexer.verdict.matches import Match
from indexer.verdict.relations import Band
from indexer.vocabulary import LabelValue, Outcome, Relation, Technique
from indexer.workspace import Workspace
from tests.made_pictures import encoded, png, recompressed, scene

FAKES, AUTHENTIC, UNLABELLED = range(6), range(6, 9), range(9, 11)
NEVER_SEEN = 40
LIMITS = ImageLimits(max_bytes=10_000_000, max_pixels=10_000_000, max_frames=10)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def workspace(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, untrained_detector: Path
) -> Iterator[Workspace]:
    """Scenes 0 to 5 are fakes seen on two platforms, 6 to 8 authentic, 9 and 10 unlabelled. The detector is untrained:
    nothing here is of the same origin."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgresql_url")
    home = tmp_path_factory.mktemp("home")
    settings = Settings.load(home=home, database_url=url, detector=str(untrained_detector), precision="fp32")
    with Workspace(settings) as opened:
        fill(opened, [fake(number) for number in FAKES], label=LabelValue.FAKE)
        fill(opened, [item(number) for number in AUTHENTIC], label=LabelValue.AUTHENTIC)
        fill(opened, [item(number) for number in UNLABELLED])
        opened.index.bring_up_to_date()
        yield opened


def item(number: int, **said: object) -> SourceItem:
    return SourceItem("desk.csv", f"{number}.png", lambda: png(number), **said)  # type: ignore[arg-type]


def fake(number: int) -> SourceItem:
    seen = NewSighting(
        url=f"https://example.org/{number}",
        platform="example-social" if number % 2 else "example-video",
        posted_at=datetime(2026, 3, 1 + number, tzinfo=UTC),
    )
    return item(number, technique=Technique.SPLICE if number < 3 else Technique.INPAINTING, sighting=seen)


def fill(workspace: Workspace, items: list[SourceItem], label: LabelValue | None = None) -> None:
    options = IngestOptions(label=label, stated_by="desk one", collections=("spring",) if label else ())
    workspace.ingest(options).run(items)


def sha256(number: int) -> str:
    return sha256_hex(png(number))


def found(answer: SearchAnswer) -> list[str]:
    return [match.image.image.sha256 for match in answer.matches]


def score(match: Match, measure: str) -> float:
    return next(one.value for one in match.scores if one.measure == measure)


def test_a_file_of_the_catalogue_finds_itself_by_all_three_relations(workspace: Workspace) -> None:
    answer = workspace.searcher.by_bytes(png(1))
    first = answer.matches[0]
    assert first.image.image.sha256 == sha256(1)
    assert first.relation is Relation.SAME_FILE
    assert score(first, "pdq_distance") == 0
    assert score(first, "cls_cosine") >= 0.999
    assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
    assert answer.verdict.input_sha256 == sha256(1)
    assert answer.verdict.matched[0].label_source == "desk one"


def test_a_re_shared_copy_is_the_same_picture(workspace: Workspace) -> None:
    answer = workspace.searcher.by_bytes(recompressed(2))
    assert answer.matches[0].image.image.sha256 == sha256(2)
    assert answer.matches[0].relation is Relation.SAME_PICTURE
    assert answer.matches[0].scores[1].band is Band.NEAR_IDENTICAL
    assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH


def test_a_mirrored_copy_is_found_and_said_to_be_mirrored(workspace: Workspace) -> None:
    answer = workspace.searcher.by_bytes(encoded(ImageOps.mirror(scene(3)), "PNG"))
    assert answer.matches[0].image.image.sha256 == sha256(3)
    picture = next(one for one in answer.matches[0].scores if one.relation is Relation.SAME_PICTURE)
    assert picture.note == "mirrored"


def test_identity_is_looked_for_among_all_labels_and_likeness_among_known_fakes(workspace: Workspace) -> None:
    answer = workspace.searcher.by_bytes(png(7), SearchOptions(limit=50))
    assert answer.matches[0].image.image.sha256 == sha256(7)
    assert answer.verdict.outcome is Outcome.NO_MATCH_FOUND
    assert set(found(answer)[1:]) == {sha256(number) for number in FAKES}
    widened = workspace.searcher.by_bytes(png(7), SearchOptions(limit=50, likeness_label=None))
    assert len(found(widened)) == 11


def test_an_unlabelled_image_leaves_it_to_a_person(workspace: Workspace) -> None:
    assert workspace.searcher.by_bytes(png(9)).verdict.outcome is Outcome.INCONCLUSIVE


def test_a_picture_never_seen_gets_no_verdict_from_an_untrained_detector(workspace: Workspace) -> None:
    answer = workspace.searcher.by_bytes(png(NEVER_SEEN))
    assert answer.verdict.outcome is Outcome.NOT_ASSESSABLE
    assert answer.detector is not None
    assert (answer.detector.reading, answer.detector.p_fake) == (Reading.NOT_ASSESSABLE, None)
    assert not [match for match in answer.matches if match.holds]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (ImageFilter(label=LabelValue.AUTHENTIC), AUTHENTIC),
        (ImageFilter(technique=Technique.INPAINTING), range(3, 6)),
        (ImageFilter(platform="example-social"), (1, 3, 5)),
        (ImageFilter(posted_from=datetime(2026, 3, 3, tzinfo=UTC), posted_to=datetime(2026, 3, 5, tzinfo=UTC)), (2, 3)),
        (ImageFilter(collections=("spring",), platform="example-video"), (0, 2, 4)),
        (ImageFilter(collections=("nowhere",)), ()),
    ],
    ids=["label", "technique", "platform", "dates", "collection and platform", "empty collection"],
)
def test_a_filter_holds_for_every_relation(workspace: Workspace, condition: ImageFilter, expected: range) -> None:
    answer = workspace.searcher.by_bytes(png(0), SearchOptions(limit=50, filter=condition))
    assert set(found(answer)) == {sha256(number) for number in expected}


def test_matches_come_strongest_first_and_never_more_than_asked_for(workspace: Workspace) -> None:
    answer = workspace.searcher.by_bytes(recompressed(4), SearchOptions(limit=3))
    assert len(answer.matches) == 3
    assert [match.holds for match in answer.matches] == [True, False, False]
    cosines = [score(match, "cls_cosine") for match in answer.matches[1:]]
    assert cosines == sorted(cosines, reverse=True)


def test_the_verdict_does_not_depend_on_how_many_matches_are_shown(tmp_path: Path, untrained_detector: Path) -> None:
    genuine, edited = png(20), recompressed(20)
    settings = Settings.load(home=tmp_path, detector=str(untrained_detector), precision="fp32")
    with Workspace(settings) as workspace:
        fill(workspace, [SourceItem("desk.csv", "genuine", lambda: genuine)], label=LabelValue.AUTHENTIC)
        fill(workspace, [SourceItem("desk.csv", "edited", lambda: edited)], label=LabelValue.FAKE)
        answers = [workspace.searcher.by_bytes(genuine, SearchOptions(limit=limit)) for limit in (1, 10)]
    assert [len(answer.matches) for answer in answers] == [1, 2]
    for answer in answers:
        assert answer.verdict.outcome is Outcome.NO_MATCH_FOUND
        assert "a copy of the picture is a known fake" in answer.verdict.summary


def test_a_smallest_cosine_of_zero_is_a_bound(workspace: Workspace) -> None:
    answer = workspace.searcher.by_bytes(png(NEVER_SEEN), SearchOptions(limit=50, same_origin_min_cosine=0.0))
    assert all(score(match, "cls_cosine") >= 0 for match in answer.matches)
    everything = workspace.searcher.by_bytes(png(NEVER_SEEN), SearchOptions(limit=50))
    assert len(answer.matches) < len(everything.matches)


def test_a_smallest_cosine_cuts_off_the_merely_nearest(workspace: Workspace) -> None:
    answer = workspace.searcher.by_bytes(png(NEVER_SEEN), SearchOptions(same_origin_min_cosine=0.9999))
    assert answer.matches == ()


def test_a_scaled_copy_says_at_what_size_the_query_was_nearest(workspace: Workspace) -> None:
    """Scene 0 is 480 x 360: PDQ blurs it by another share of its size than a copy of 256 x 192."""
    copy = encoded(scene(0).resize((256, 192), Image.Resampling.LANCZOS), "JPEG", quality=80)
    (picture,) = [one for one in workspace.searcher.by_bytes(copy).matches[0].scores if one.measure == "pdq_distance"]
    plain = hamming(pdq_hash(Image.open(BytesIO(copy))).bits, pdq_hash(scene(0)).bits)
    assert picture.holds
    assert picture.note is None
    assert (picture.resized_to, picture.value < plain) == (384, True)
    same = workspace.searcher.by_bytes(png(0)).matches[0].scores[1]
    assert (same.value, same.note, same.resized_to) == (0, None, None)


def test_a_smaller_distance_is_stricter(workspace: Workspace) -> None:
    data = encoded(scene(2).resize((200, 150)), "JPEG", quality=15)
    distance = int(score(workspace.searcher.by_bytes(data).matches[0], "pdq_distance"))
    assert distance > 0
    strict = workspace.searcher.by_bytes(data, SearchOptions(same_picture_max_distance=distance - 1))
    assert Band.NEAR_IDENTICAL not in {one.band for match in strict.matches for one in match.scores}
    assert strict.matches[0].score.band is Band.VERIFIED_COPY, "its features say it all the same"
    just = workspace.searcher.by_bytes(data, SearchOptions(same_picture_max_distance=distance))
    assert just.matches[0].score.band is Band.NEAR_IDENTICAL


def test_by_image_id_embedding_and_pdq_the_same_image_comes_first(workspace: Workspace) -> None:
    by_id = workspace.searcher.by_sha256(sha256(5))
    output = workspace.detector().detect([png(5)])
    by_embedding = workspace.searcher.by_embedding((output.embeddings[0] * 7).tolist())
    by_pdq = workspace.searcher.by_pdq(by_id.query.pdq or "")
    assert found(by_id)[0] == found(by_embedding)[0] == found(by_pdq)[0] == sha256(5)
    assert by_id.matches[0].relation is Relation.SAME_FILE
    assert by_pdq.matches[0].relation is Relation.SAME_PICTURE
    assert by_pdq.verdict.outcome is Outcome.KNOWN_FAKE_MATCH


def test_what_cannot_be_searched_with_is_refused_with_a_reason(workspace: Workspace) -> None:
    searcher = workspace.searcher
    for wrong in ([0.0] * 384, [1.0] * 383, [float("nan")] * 384):
        with pytest.raises(UsageError, match="384"):
            searcher.by_embedding(wrong)
    for wrong_hash in ("not a hash", "f" * 63, "g" * 64):
        with pytest.raises(UsageError, match="64 hex"):
            searcher.by_pdq(wrong_hash)
    with pytest.raises(NotFoundError):
        searcher.by_sha256("0" * 64)
    with pytest.raises(ImageRejectedError):
        searcher.by_bytes(b"no picture")
    for limit in (0, workspace.settings.search_limit_max + 1):
        with pytest.raises(UsageError, match="limit"):
            searcher.by_bytes(png(1), SearchOptions(limit=limit))


def test_a_picture_without_structure_is_not_compared_by_pdq(workspace: Workspace) -> None:
    buffer = BytesIO()
    Image.new("RGB", (200, 200), (90, 90, 90)).save(buffer, "PNG")
    answer = workspace.searcher.by_bytes(buffer.getvalue())
    assert answer.verdict.outcome is Outcome.NOT_ASSESSABLE
    assert any("too little structure" in limit for limit in answer.verdict.limitations)


def test_compare_measures_every_relation_between_any_two_pictures(workspace: Workspace) -> None:
    same = compare_pictures(workspace, png(NEVER_SEEN), recompressed(NEVER_SEEN)).comparison
    holds = {one.measure: (one.relation, one.holds) for one in same.scores}
    assert holds.pop("copy_cosine")[0] is Relation.SAME_PICTURE, "whether it holds is the descriptor's business"
    assert holds == {
        "sha256": (Relation.SAME_FILE, False),
        "pdq_distance": (Relation.SAME_PICTURE, True),
        "overlap": (Relation.SAME_PICTURE, True),
        "cls_cosine": (Relation.SAME_ORIGIN, False),
    }
    other = compare_pictures(workspace, png(1), png(2)).comparison
    assert not any(one.holds for one in other.scores)


def test_an_answer_says_on_what_it_was_computed_and_how_long_it_took(workspace: Workspace) -> None:
    answer = workspace.searcher.by_bytes(png(1))
    assert answer.verdict.index.size == 11
    assert answer.verdict.index.snapshot == workspace.index.snapshot_id
    assert answer.verdict.index.fingerprint == workspace.resolved.fingerprint
    steps = {
        *("decode", "views", "prepare", "hash", "provenance", "queue", "model"),
        *("index", "copies", "catalogue", "verdict"),
    }
    assert set(answer.milliseconds) == steps


def test_campaigns_show_up_in_answers_and_deleted_images_vanish_at_once(
    workspace: Workspace, deleting: Callable[[str], None]
) -> None:
    copies = [
        SourceItem("desk.csv", f"copy {n}", lambda q=q: encoded(scene(30), "JPEG", quality=q))  # type: ignore[misc]
        for n, q in enumerate((95, 80, 60))
    ]
    fill(workspace, copies, label=LabelValue.FAKE)
    run = cluster(workspace.catalog, workspace.index, workspace.settings)
    assert run.campaigns == 1
    answer = workspace.searcher.by_bytes(encoded(scene(30), "JPEG", quality=70))
    assert len({member.campaign for match in answer.matches[:3] for member in match.image.campaigns}) == 1
    for gone in found(answer)[:3]:
        deleting(gone)
    after = workspace.searcher.by_bytes(encoded(scene(30), "JPEG", quality=70))
    assert after.verdict.outcome is Outcome.NOT_ASSESSABLE
    assert not set(found(answer)[:3]) & set(found(after))


@pytest.fixture
def deleting(workspace: Workspace) -> Callable[[str], None]:
    def delete(sha: str) -> None:
        with workspace.catalog.writing() as session:
            assert images.delete(session, sha, "asked for by a test")

    return delete
