"""Whatever the bytes are, reading what they say of themselves ends with findings: no exception, bounded in size."""

import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.provenance import read_provenance
from tests.made_pictures import encoded, png, scene
from tests.provenance.test_cameras import camera_exif, with_preview
from tests.provenance.told_pictures import (
    comfy_graph,
    comfy_png,
    extended_xmp,
    gif_with_xmp,
    infotext,
    iptc_resources,
    jpeg_with_xmp,
    signed,
    user_comment,
    with_segments,
    xmp_packet,
)

CALM = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PICTURES = [
    signed(png(1)),
    comfy_png(comfy_graph()),
    user_comment(infotext()),
    user_comment(infotext(), "WEBP"),
    jpeg_with_xmp(xmp_packet("", 'xmp:CreatorTool="GIMP 2.10"')),
    encoded(scene(1), "TIFF", tiffinfo={0x010F: "EXAMPLE CORP"}),
    encoded(scene(1), "AVIF", exif=camera_exif()),
    with_preview(scene(2).resize((160, 120)), scene(1)),
    gif_with_xmp(xmp_packet("", 'xmp:CreatorTool="GIMP 2.10"')),
    extended_xmp("<xmp:CreatorTool>GIMP 2.10</xmp:CreatorTool>"),
    with_segments(encoded(scene(1), "JPEG"), (0xED, b"Photoshop 3.0\0" + iptc_resources({80: "A. Example"}))),
]


def check(data: bytes) -> None:
    found = read_provenance(data).findings
    assert len(found) <= 50
    assert all(len(one.statement) < 1_500 for one in found)


@CALM
@given(st.binary(max_size=300))
def test_any_bytes_end_with_findings(data: bytes) -> None:
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"RIFF\xff\0\0\0WEBP", b"II*\0", b"MM\0*"):
        check(start + data)


@pytest.mark.parametrize("place", range(len(PICTURES)))
@CALM
@given(data=st.data())
def test_damaged_pictures_end_with_findings(place: int, data: st.DataObject) -> None:
    damaged = bytearray(PICTURES[place])
    head = min(len(damaged), 6_000)  # metadata stands in front of the pixels, or behind them
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(-min(len(damaged), 1_000), head - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    check(bytes(damaged[: data.draw(st.integers(len(damaged) // 2, len(damaged)))]))


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
KEYS = ["invokeai_metadata", "sd-metadata", "Comment", "parameters", "prompt", "workflow", "Dream", "AIGC"]
NAMES = [
    *("generation_mode", "model", "loras", "controlnets", "image", "request_type", "base_model", "sui_image_params"),
    *("sui_models", "nodes", "inputs", "class_type", "links", "type", "prompt", "Label", "app_version", "ipAdapters"),
]


@CALM
@given(st.sampled_from(KEYS), st.dictionaries(st.sampled_from(NAMES), values, max_size=8))
def test_settings_of_any_shape_end_with_findings(key: str, said: dict[str, Any]) -> None:
    graph = {"1": {"class_type": "KSampler", "inputs": said}, "2": said}
    for written in (json.dumps(said), json.dumps({"sui_image_params": said}), json.dumps(graph)):
        check(small_png_with({key: written, "Software": "NovelAI"}))


def small_png_with(texts: dict[str, str]) -> bytes:
    """As `png_with`, of one pixel: nothing here decodes it."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))]
    chunks += [(b"tEXt", key.encode() + b"\0" + text.encode("utf-8", "replace")) for key, text in texts.items()]
    chunks.append((b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@pytest.mark.parametrize(
    "texts",
    [
        {"prompt": "[" * 100_000},
        {"prompt": '{"a":' * 50_000},
        {"parameters": "Steps: 1, Seed: " + "9" * 500_000},
        {"parameters": "x\nSteps: 1, Seed: 2, " + 'k: "' * 100_000},
        {"parameters": "x\nSteps: 1, Seed: 2, " + "a" * 400_000},
        {"parameters": "<lora:" * 100_000 + "\nSteps: 1, Seed: 2"},
        {"parameters": json.dumps({"sui_image_params": {"seed": int("9" * 4_000)}})},
        {"Dream": '"' + " -S" * 200_000},
        {
            "prompt": json.dumps(
                {
                    str(n): {"class_type": "KSampler", "inputs": {"steps": 1, "latent_image": [str(n + 1), 0]}}
                    for n in range(10_000)
                }
            )
        },
    ],
    ids=["brackets", "objects", "digits", "quotes", "letters", "loras", "a number", "flags", "samplers"],
)
def test_texts_made_to_take_long_are_read_in_bounded_work(texts: dict[str, str]) -> None:
    check(small_png_with(texts))


def test_a_packed_text_that_unpacks_to_a_gigabyte_is_left_out() -> None:
    packed = zlib.compressobj(9)
    content = b"".join(packed.compress(bytes(2**20)) for _ in range(64)) + packed.flush()
    data = small_png_with({})
    chunk = b"zTXt" + b"parameters\0\0" + content
    bomb = data[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
    (found,) = read_provenance(bomb).findings
    assert "damaged or too large" in found.statement


def test_control_characters_never_leave_as_they_are_when_a_database_would_refuse_them() -> None:
    said = {"c": 1, "base_model": "m\0\ud800", "prompt": "a\0b"}
    (found,) = read_provenance(small_png_with({"parameters": json.dumps(said)})).findings
    assert found.generation is not None
    assert "\0" not in (found.generation.prompt or "\0")
    (found.generation.model or "\ud800").encode()
