"""Pixels where features say that two pictures overlap: the same, or another picture inside the same frame."""

from dataclasses import replace

from PIL import Image, ImageEnhance, ImageOps

from indexer.copies.verification.deciding import PIXELS_AGREE, SHARP, VERY_SHARP, settled
from indexer.copies.verification.overlap import NEAR_BITS, Overlap, PixelAgreement
from indexer.copies.verification.pixels import agreement
from indexer.vocabulary import Relation
from tests.made_pictures import scene
from tests.second_photographs import photographed_again

SIZE = (480, 360)
WHOLE = Overlap(
    relation=Relation.SHARES_PART,
    to_known=(1, 0, 0, 0, 1, 0, 0, 0, 1),
    mirrored=False,
    turned=0,
    scale=1,
    inliers=12,
    matches=20,
    query_box=(0, 0, *SIZE),
    known_box=(0, 0, *SIZE),
    query_share=1,
    known_share=1,
    supported=0.6,
)
NOTHING = PixelAgreement(0, 0)


def framed(inside: int) -> Image.Image:
    picture = scene(1)
    picture.paste(scene(inside).resize((380, 280)), (50, 40))
    return picture


def test_a_recoloured_copy_with_a_caption_agrees_by_most_of_its_pixels() -> None:
    copy = ImageEnhance.Brightness(ImageOps.grayscale(scene(1)).convert("RGB")).enhance(0.7)
    copy.paste("black", (0, 300, 480, 360))
    pixels = agreement(copy, scene(1).resize((240, 180)), WHOLE, SIZE, SIZE)
    assert 0.7 < pixels.share < 0.95 < pixels.sharp
    assert settled(replace(WHOLE, supported=0.7), pixels).relation is Relation.SAME_PICTURE
    assert settled(replace(WHOLE, supported=0.3), pixels).relation is Relation.SHARES_PART
    assert settled(WHOLE, PixelAgreement(0.9, 0.9)).relation is Relation.SAME_PICTURE


def test_another_picture_in_the_same_frame_disagrees() -> None:
    pixels = agreement(framed(2), framed(3), WHOLE, SIZE, SIZE)
    assert pixels.share < 0.5
    assert settled(replace(WHOLE, relation=Relation.SAME_PICTURE), pixels).relation is Relation.SHARES_PART


def test_only_the_overlap_is_compared_wherever_it_lies() -> None:
    crop = ImageOps.mirror(scene(4).crop((120, 60, 360, 240)).resize((480, 360)))
    overlap = replace(WHOLE, to_known=(-0.5, 0, 359.75, 0, 0.5, 59.75, 0, 0, 1), known_box=(120, 60, 360, 240))
    assert agreement(crop, scene(4), overlap, SIZE, SIZE).share > 0.95
    assert agreement(crop, scene(4), WHOLE, SIZE, SIZE).share < 0.5


def test_blank_pictures_agree_about_nothing() -> None:
    assert agreement(Image.new("RGB", (8, 8)), Image.new("RGB", (300, 200), "white"), WHOLE, SIZE, SIZE) == NOTHING
    assert agreement(Image.new("RGB", SIZE), scene(1), WHOLE, SIZE, SIZE).share < 0.2


def test_the_picture_inside_a_frame_must_agree_as_the_whole_does() -> None:
    posts = [scene(1), scene(1)]
    for post, seed in zip(posts, (2, 3), strict=True):
        post.paste(scene(seed).resize((200, 150)), (140, 100))
    inner = (140, 100, 340, 250)
    whole = agreement(posts[0], posts[1], WHOLE, SIZE, SIZE).share
    assert agreement(posts[0], posts[1], WHOLE, SIZE, SIZE, inner).share < 0.5 < whole
    assert agreement(posts[0], posts[0], WHOLE, SIZE, SIZE, inner).share > 0.95


def test_a_banner_inside_the_query_is_judged_with_all_of_it() -> None:
    banner = (0, 300, 480, 360)
    covered = scene(1)
    covered.paste("navy", banner)
    whole = agreement(covered, scene(1), WHOLE, SIZE, SIZE)
    assert whole.share > 0.7
    assert agreement(covered, scene(1), WHOLE, SIZE, SIZE, banner) == whole


def test_another_photograph_of_the_same_place_agrees_but_not_exactly() -> None:
    again, full = photographed_again(scene(1), 20), replace(WHOLE, supported=0.9)
    pixels, copy = (
        agreement(each, scene(1), full, SIZE, SIZE) for each in (again, scene(1).convert("L").convert("RGB"))
    )
    assert pixels.share >= PIXELS_AGREE
    assert pixels.sharp < SHARP < copy.sharp
    assert settled(full, pixels).relation is Relation.SHARES_PART
    assert settled(full, copy).relation is Relation.SAME_PICTURE


def test_pictures_that_each_show_more_than_the_other_must_agree_more_exactly() -> None:
    pixels = PixelAgreement(0.95, (SHARP + VERY_SHARP) / 2)
    aside = replace(WHOLE, supported=0.9, query_share=0.8, known_share=0.8)
    assert settled(replace(aside, query_share=1.0), pixels).relation is Relation.SAME_PICTURE
    assert settled(aside, pixels).relation is Relation.SHARES_PART


def test_a_near_hash_makes_up_for_features_where_the_pixels_agree() -> None:
    bare, pixels = replace(WHOLE, supported=0.0), PixelAgreement(0.65, 0.8)
    assert settled(bare, pixels, bits=NEAR_BITS).relation is Relation.SAME_PICTURE
    assert settled(bare, pixels, bits=NEAR_BITS + 1).relation is Relation.SHARES_PART
    rough = PixelAgreement(0.9, 0.3)
    assert settled(bare, rough, bits=NEAR_BITS).relation is Relation.SHARES_PART
    assert settled(replace(WHOLE, supported=0.9), rough).relation is Relation.SHARES_PART
    assert settled(replace(WHOLE, supported=0.9), rough, bits=NEAR_BITS).relation is Relation.SAME_PICTURE
