"""EXIF texts are read in the encoding that their bytes are in, whatever their prefix or the block's byte order says."""

import struct
from itertools import product

import pytest

from indexer.imaging.sniffing import sniff
from indexer.provenance import read_provenance
from indexer.provenance.exif_text import comment_text, plain_text, wide_text
from indexer.provenance.findings import Generation
from tests.made_pictures import encoded, scene
from tests.provenance.told_pictures import infotext

PROMPTS = {
    "English": "a cat in rain, ",
    "Chinese": "雨中的猫,一只小狗。",
    "Japanese": "雨の中の猫、かわいい。",
    "Korean": "비 속의 고양이 ",
    "Russian": "кошка под дождём ",
    "emoji": "\U0001f431 in the \U0001f327 ",
}
TAGS = {"comment": 0x9286, "XPComment": 0x9C9C, "XPTitle": 0x9C9B, "description": 0x010E}


def exif_block(order: str, content: bytes, tag: int = 0x9286) -> bytes:
    """A TIFF block with one text: UserComment in the EXIF directory, any other tag in the first one."""
    mark = ">" if order == "MM" else "<"
    head = order.encode() + struct.pack(mark + "HI", 42, 8)
    kind = {0x010E: 2, 0x9286: 7}.get(tag, 1)
    if tag != 0x9286:
        return head + struct.pack(mark + "HHHIII", 1, tag, kind, len(content), 26, 0) + content
    pointer = struct.pack(mark + "HHHIII", 1, 0x8769, 4, 1, 26, 0)
    return head + pointer + struct.pack(mark + "HHHIII", 1, tag, kind, len(content), 44, 0) + content


def generation(data: bytes) -> Generation | None:
    found = [one.generation for one in read_provenance(data).findings if one.generation is not None]
    return found[0] if found else None


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
@pytest.mark.parametrize("prefix", [b"UNICODE\0", b"Unicode\0", b"ASCII\0\0\0", b"\0" * 8, b"JIS\0\0\0\0\0", b""])
def test_a_comment_is_read_whatever_its_prefix_and_order_say(prefix: bytes, prompt: str) -> None:
    said = infotext(prompt=prompt)
    encodings = ("utf-16-le", "utf-16-be", "utf-16", "utf-8", "utf-8-sig")
    for encoding, padding, order in product(encodings, (b"", b"\0", b"\0\0\0\0"), "<>"):
        assert comment_text(prefix + said.encode(encoding) + padding, order) == said, (encoding, padding, order)


@pytest.mark.parametrize("prompt", ["中文", "猫", "雨の中の猫", "кошка"])
def test_a_short_comment_without_ascii_is_in_the_order_of_its_block(prompt: str) -> None:
    assert comment_text(b"UNICODE\0" + prompt.encode("utf-16-le"), "<") == prompt
    assert comment_text(b"UNICODE\0" + prompt.encode("utf-16-be"), ">") == prompt
    assert comment_text(b"UNICODE\0" + prompt.encode("utf-8"), "<") == prompt


def test_japanese_comments_are_read_in_all_three_encodings() -> None:
    for encoding in ("iso2022_jp", "cp932", "utf-8"):
        assert comment_text(b"JIS\0\0\0\0\0" + "雨の中の猫".encode(encoding), "<") == "雨の中の猫"


def test_comments_that_say_nothing_and_damaged_ones_are_none_or_text() -> None:
    for content in (b"", b"ASCII\0\0\0", b"\0" * 64, b"UNICODE\0", b"UNICODE\0\xff\xfe", b"UNICODE\0" + b" \0" * 9):
        assert comment_text(content, "<") is None
    assert comment_text(b"UNICODE\0\0", "<") is None
    assert comment_text(b"ASCII\0\0\0plain words   ", "<") == "plain words"
    assert "caf" in (comment_text(b"ASCII\0\0\0caf\xe9 noir", "<") or "")


def test_the_texts_beside_the_comment_are_read_too() -> None:
    said = infotext(prompt="雨中的猫")
    assert wide_text(said.encode("utf-16-le") + b"\0\0") == said
    assert wide_text(said.encode()) == said
    assert plain_text(said.encode() + b"\0junk") == said
    assert plain_text(said.encode("utf-16")) == said
    assert plain_text("café".encode("latin-1")) == "café"
    assert plain_text(b"") is None


def jpeg(block: bytes) -> bytes:
    return encoded(scene(1), "JPEG", exif=b"Exif\0\0" + block)


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS.keys())
@pytest.mark.parametrize("order", ["II", "MM"])
def test_parameters_are_found_in_each_text_of_exif(order: str, tag: int) -> None:
    said = infotext(prompt="雨中的猫")
    written = said.encode("utf-8") if tag == 0x010E else said.encode("utf-16-le")
    prefix = b"UNICODE\0" if tag == 0x9286 else b""
    found = generation(jpeg(exif_block(order, prefix + written, tag)))
    assert found is not None
    assert (found.model_hash, (found.prompt or "")[:4]) == ("6ce0161689", "雨中的猫")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_a_comment_against_the_order_of_its_block_is_found_in_every_carrier(kind: str) -> None:
    block = exif_block("II", b"UNICODE\0" + infotext(prompt="雨中的猫").encode("utf-16-be"))
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if kind == "TIFF":
        data = block  # no pixels: what is read of it is the block
        assert sniff(data) == "TIFF"
    else:
        data = encoded(scene(1), kind, exif=b"Exif\0\0" + block)
    found = generation(data)
    assert found is not None
    assert found.model_hash == "6ce0161689"


def test_exif_in_a_png_text_of_imagemagick_is_read() -> None:
    from PIL.PngImagePlugin import PngInfo

    block = b"Exif\0\0" + exif_block("MM", b"UNICODE\0" + infotext().encode("utf-16-le"))
    info = PngInfo()
    info.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n", zip=True)
    found = generation(encoded(scene(1), "PNG", pnginfo=info))
    assert found is not None
    assert found.model_hash == "6ce0161689"
    broken = PngInfo()
    broken.add_text("Raw profile type exif", "\nexif\n 4\nzz")
    assert generation(encoded(scene(1), "PNG", pnginfo=broken)) is None
