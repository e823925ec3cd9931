"""Two pictures compared in one go, the second perhaps a known image of which more or less is kept."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageOps

from indexer.errors import DejafakeError, ImageRejectedError, NotFoundError
from indexer.examine.comparison import NOT_KEPT, compare_pictures
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.provenance.recording import LIMIT_SELF_DECLARED
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.verdict.relations import Band
from indexer.vocabulary import EvidenceKind, Relation, Technique
from indexer.workspace import Workspace
from tests.made_pictures import encoded, generated_png, scene

KNOWN = encoded(scene(1))


def edited() -> bytes:
    """The known picture with a sign painted into it, saved as JPEG."""
    picture = scene(1)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((200, 100, 290, 180), fill="white")
    pen.line((200, 100, 290, 180), fill="black", width=6)
    return encoded(picture, "JPEG", quality=80)


@pytest.fixture
def workspace(untrained_detector: Path, tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "known.png").write_bytes(KNOWN)
    settings = Settings.load(home=tmp_path / "home", detector=str(untrained_detector), precision="fp32")
    with Workspace(settings) as opened:
        opened.ingest().run(open_source(tmp_path / "known.png", ImageLimits.from_settings(settings)))
        yield opened


def test_relations_and_difference_come_together(workspace: Workspace) -> None:
    compared = compare_pictures(workspace, KNOWN, edited())
    measures = [score.measure for score in compared.comparison.scores]
    assert [one for one in measures if one != "copy_cosine"] == ["sha256", "pdq_distance", "overlap", "cls_cosine"]
    assert compared.comparison.difference == compared.difference.finding
    assert len(compared.difference.finding.regions) == 1
    assert Image.open(io.BytesIO(compared.png())).format == "PNG"
    with pytest.raises(ImageRejectedError):
        compare_pictures(workspace, KNOWN, b"no picture")


def test_a_mirrored_crop_is_told_as_the_same_picture_with_its_place(workspace: Workspace) -> None:
    crop = ImageOps.mirror(scene(1).crop((60, 20, 420, 340)))
    compared = compare_pictures(workspace, encoded(crop, "JPEG", quality=85), KNOWN).comparison
    (score,) = [score for score in compared.scores if score.measure == "overlap"]
    overlap = compared.overlap
    assert overlap is not None
    assert (score.relation, score.holds, score.band) == (Relation.SAME_PICTURE, True, Band.VERIFIED_COPY)
    assert (overlap.mirrored, round(overlap.query_share, 1)) == (True, 1.0)
    assert overlap.known_box == pytest.approx((60, 20, 420, 340), abs=6)
    assert overlap.known_share == pytest.approx(360 * 320 / (480 * 360), abs=0.03)
    with_known = compare_pictures(workspace, encoded(crop, "JPEG", quality=85), sha256_hex(KNOWN)).comparison
    assert with_known.overlap == overlap


def test_each_file_tells_its_origin_which_changes_no_relation(workspace: Workspace) -> None:
    told, silent = compare_pictures(workspace, generated_png(1), KNOWN), compare_pictures(workspace, KNOWN, KNOWN)
    (said,), nothing = told.comparison.provenance[0] or (), told.comparison.provenance[1]
    assert (said.worth, said.technique, said.model_hash) == (
        EvidenceKind.SELF_DECLARED,
        Technique.INPAINTING,
        "6ce0161689",
    )
    assert nothing == ()
    assert LIMIT_SELF_DECLARED in told.comparison.limitations
    assert told.comparison.scores[1:] == silent.comparison.scores[1:]
    known = compare_pictures(workspace, generated_png(1), sha256_hex(KNOWN))
    assert known.comparison.provenance == told.comparison.provenance


def test_a_known_image_is_compared_by_its_original_as_if_it_were_sent(workspace: Workspace) -> None:
    stored, sent = (
        compare_pictures(workspace, edited(), sha256_hex(KNOWN)),
        compare_pictures(workspace, edited(), KNOWN),
    )
    assert stored.difference.finding == sent.difference.finding
    for one, other in zip(stored.comparison.scores, sent.comparison.scores, strict=True):
        assert (one.relation, one.holds) == (other.relation, other.holds)
        assert one.value == pytest.approx(other.value, abs=1e-4)
    one, other = stored.comparison.findings[1], sent.comparison.findings[1]
    assert one is not None
    assert other is not None
    assert one.logits == pytest.approx(other.logits, abs=1e-3)
    with pytest.raises(NotFoundError):
        compare_pictures(workspace, edited(), "0" * 64)


def test_without_the_original_its_thumbnail_is_compared_and_that_is_said(workspace: Workspace) -> None:
    workspace.originals.delete(sha256_hex(KNOWN))
    compared = compare_pictures(workspace, edited(), sha256_hex(KNOWN))
    assert "its thumbnail of 320 x 240 pixels was compared" in compared.difference.finding.statements[0]
    assert len(compared.difference.finding.regions) == 1


def test_with_nothing_kept_the_relations_are_told_and_what_to_do(workspace: Workspace) -> None:
    workspace.originals.delete(sha256_hex(KNOWN))
    workspace.thumbnails.delete(sha256_hex(KNOWN))
    compared = compare_pictures(workspace, edited(), sha256_hex(KNOWN))
    measures = [score.measure for score in compared.comparison.scores]
    assert {"sha256", "pdq_distance", "cls_cosine"} <= {*measures}
    assert compared.comparison.difference is not None
    assert compared.comparison.difference.reason == NOT_KEPT
    assert "DEJAFAKE_KEEP_ORIGINALS=true" in compared.comparison.difference.statements[0]
    assert Image.open(io.BytesIO(compared.png())).format == "PNG"


def test_an_original_that_was_changed_on_disk_is_not_compared(workspace: Workspace) -> None:
    workspace.originals.path(sha256_hex(KNOWN)).write_bytes(encoded(scene(2)))
    with pytest.raises(DejafakeError, match="damaged"):
        compare_pictures(workspace, edited(), sha256_hex(KNOWN))
