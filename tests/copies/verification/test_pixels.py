"""Pixels where features say that two pictures overlap: the same, or another picture inside the same frame."""

from dataclasses import replace

from PIL import Image, ImageEnhance, ImageOps

from indexer.copies.verification.deciding import settled
from indexer.copies.verification.overlap import Overlap
from indexer.copies.verification.pixels import agreement
from indexer.vocabulary import Relation
from tests.made_pictures import scene

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


def framed(inside: int) -> Image.Image:
    picture = scene(1)
    picture.paste(scene(inside).resize((380, 280)), (50, 40))
    return picture


def test_a_recoloured_copy_with_a_caption_agrees_by_most_of_its_pixels() -> None:
    copy = ImageEnhance.Brightness(ImageOps.grayscale(scene(1)).convert("RGB")).enhance(0.7)
    copy.paste("black", (0, 300, 480, 360))
    found = agreement(copy, scene(1).resize((240, 180)), WHOLE, SIZE, SIZE)
    assert 0.7 < found < 0.95
    assert settled(replace(WHOLE, supported=0.7), found).relation is Relation.SAME_PICTURE
    assert settled(replace(WHOLE, supported=0.3), found).relation is Relation.SHARES_PART
    assert settled(replace(WHOLE, supported=0.5), 0.9).relation is Relation.SAME_PICTURE


def test_another_picture_in_the_same_frame_disagrees() -> None:
    found = agreement(framed(2), framed(3), WHOLE, SIZE, SIZE)
    assert found < 0.5
    assert settled(replace(WHOLE, relation=Relation.SAME_PICTURE), found).relation is Relation.SHARES_PART


def test_only_the_overlap_is_compared_wherever_it_lies() -> None:
    crop = ImageOps.mirror(scene(4).crop((120, 60, 360, 240)).resize((480, 360)))
    overlap = replace(WHOLE, to_known=(-0.5, 0, 359.75, 0, 0.5, 59.75, 0, 0, 1), known_box=(120, 60, 360, 240))
    assert agreement(crop, scene(4), overlap, SIZE, SIZE) > 0.95
    assert agreement(crop, scene(4), WHOLE, SIZE, SIZE) < 0.5


def test_blank_pictures_agree_about_nothing() -> None:
    assert agreement(Image.new("RGB", (8, 8)), Image.new("RGB", (300, 200), "white"), WHOLE, SIZE, SIZE) == 0
    assert agreement(Image.new("RGB", SIZE), scene(1), WHOLE, SIZE, SIZE) < 0.2


def test_the_picture_inside_a_frame_must_agree_as_the_whole_does() -> None:
    posts = [scene(1), scene(1)]
    for post, seed in zip(posts, (2, 3), strict=True):
        post.paste(scene(seed).resize((200, 150)), (140, 100))
    inner = (140, 100, 340, 250)
    whole = agreement(posts[0], posts[1], WHOLE, SIZE, SIZE)
    assert agreement(posts[0], posts[1], WHOLE, SIZE, SIZE, inner) < 0.5 < whole
    assert agreement(posts[0], posts[0], WHOLE, SIZE, SIZE, inner) > 0.95
