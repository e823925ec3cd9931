"""Text hidden in the alpha channel: found, bounded, and never missed because nothing else is said."""

import gzip
import json

import pytest
from PIL import Image, PngImagePlugin

from indexer.provenance import Finding, ProvenanceLimits, read_provenance
from indexer.provenance.hidden import hidden_texts
from indexer.vocabulary import EvidenceKind, ProvenanceKind, Technique
from tests.made_pictures import encoded, scene
from tests.provenance.told_pictures import infotext, opened, with_hidden_text

COMMENT = {"seed": 77, "steps": 28, "uc": "lowres", "request_type": "NativeInfillingRequest"}
TEXTS = {"Description": "a crowd", "Software": "NovelAI", "Source": "SDXL 7BCCAA2C", "Comment": json.dumps(COMMENT)}
PACKED = gzip.compress(json.dumps(TEXTS).encode(), mtime=0)


def only(data: bytes, limits: ProvenanceLimits | None = None) -> Finding:
    (found,) = read_provenance(data, limits).findings
    return found


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True})], ids=["PNG", "lossless WebP"]
)
def test_novelai_is_read_from_the_alpha_channel(kind: str, options: dict[str, object]) -> None:
    found = only(with_hidden_text(PACKED, kind=kind, **options))
    assert (found.made_with, found.technique, found.model_hash) == ("NovelAI", Technique.INPAINTING, "7bccaa2c")
    assert found.worth is EvidenceKind.SELF_DECLARED
    assert found.where == "text hidden in the alpha channel, Comment"


def test_the_parameters_of_automatic1111_are_read_from_there_plain_and_packed() -> None:
    plain = only(with_hidden_text(infotext().encode(), b"stealth_pnginfo"))
    packed = only(with_hidden_text(gzip.compress(infotext().encode())))
    assert plain.generation == packed.generation
    assert plain.made_with == "AUTOMATIC1111"


def test_what_the_file_says_openly_too_is_told_once() -> None:
    info = PngImagePlugin.PngInfo()
    for keyword, written in TEXTS.items():
        info.add_text(keyword, written)
    found = read_provenance(with_hidden_text(PACKED, pnginfo=info)).findings
    assert [one.where for one in found if one.kind is ProvenanceKind.GENERATION] == ["PNG text Comment"]


@pytest.mark.parametrize(
    ("content", "mark", "why"),
    [
        (gzip.compress(b" " * 5_000_000), b"stealth_pngcomp", "unpacks to more than 1,000,000 bytes"),
        (PACKED[:10] + b"\xff" * 30, b"stealth_pngcomp", "damaged"),
        (b"x" * 30_000, b"stealth_pnginfo", "cut off"),
        (b"x" * 1_000_001, b"stealth_pnginfo", "larger than 1,000,000 bytes"),
    ],
    ids=["bomb", "damaged", "cut off", "too large"],
)
def test_a_hostile_text_is_named_and_not_read(content: bytes, mark: bytes, why: str) -> None:
    found = only(with_hidden_text(content, mark))
    assert found.kind is ProvenanceKind.UNREADABLE
    assert why in found.statement


def test_plain_transparency_says_nothing_and_no_alpha_is_kept_of_opaque_pictures() -> None:
    picture = scene(1)
    picture.putalpha(128)
    assert read_provenance(encoded(picture)).findings == ()
    picture.putalpha(255)
    assert opened(encoded(picture)).alpha is None


def test_a_picture_smaller_than_the_mark_says_nothing() -> None:
    assert hidden_texts(Image.new("L", (5, 7), 254), 1_000) == {}
