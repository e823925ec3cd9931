"""C2PA, XMP and IPTC: what a file declares, and what each declaration is worth."""

import dataclasses
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.provenance import Finding, ProvenanceLimits, read_provenance
from indexer.provenance.findings import Credentials, Credits, Declaration
from indexer.settings import Settings
from indexer.vocabulary import EvidenceKind, ProvenanceKind
from tests.made_pictures import encoded, png, scene
from tests.provenance.told_pictures import (
    TRAINED,
    authority,
    extended_xmp,
    gif_with_xmp,
    iptc_resources,
    jpeg_with_xmp,
    opened,
    png_with,
    signed,
    user_comment,
    with_segments,
    xmp_packet,
)


def of_kind(data: bytes, kind: ProvenanceKind, limits: ProvenanceLimits | None = None) -> list[Finding]:
    return [one for one in read_provenance(data, limits).findings if one.kind is kind]


def credentials(data: bytes, limits: ProvenanceLimits | None = None) -> Finding:
    (found,) = of_kind(data, ProvenanceKind.CONTENT_CREDENTIALS, limits)
    return found


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A loopback port that would take a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def test_a_manifest_of_an_unknown_signer_is_self_declared_and_says_so() -> None:
    found = credentials(signed(png(1)))
    assert found.worth is EvidenceKind.SELF_DECLARED
    assert found.digital_source_type == "trainedAlgorithmicMedia"
    assert found.made_with == "Example Maker"
    assert found.credentials == Credentials(
        validation_state="valid",
        issuer="Example Newsroom",
        signer="signer",
        generators=("Example Maker 2.1",),
        actions=("c2pa.created",),
        failures=("signingCredential.untrusted",),
    )
    assert "anyone can sign under any name" in found.statement


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_manifest_of_a_trusted_signer_is_cryptographic(kind: str) -> None:
    data = signed(encoded(scene(1), kind), f"image/{kind.lower()}")
    found = credentials(data, ProvenanceLimits(trust_anchors=authority().root))
    assert found.worth is EvidenceKind.CRYPTOGRAPHIC
    assert found.credentials is not None
    assert found.credentials.validation_state == "trusted"


def test_a_picture_changed_after_signing_does_not_hold_even_when_the_signer_is_trusted() -> None:
    data = bytearray(signed(png(1)))
    data[data.rindex(b"IDAT") + 40] ^= 1
    found = credentials(bytes(data), ProvenanceLimits(trust_anchors=authority().root))
    assert found.worth is EvidenceKind.SELF_DECLARED
    assert found.credentials is not None
    assert found.credentials.validation_state == "invalid"
    assert "assertion.dataHash.mismatch" in found.credentials.failures
    assert "does not hold" in found.statement


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_address_of_a_manifest_is_recorded_and_never_fetched(kind: str, listener: socket.socket) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/manifest.c2pa"
    found = credentials(signed(encoded(scene(1), kind), f"image/{kind.lower()}", remote=url))
    assert found.credentials == Credentials(manifest_url=url)
    assert found.worth is EvidenceKind.SELF_DECLARED
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_trust_anchors_come_from_a_file_that_is_looked_at(tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.pem"
    anchors.write_text(authority().root, encoding="ascii")
    assert ProvenanceLimits.from_settings(Settings(c2pa_trust_anchors=anchors)).trust_anchors == authority().root
    assert ProvenanceLimits.from_settings(Settings()).trust_anchors is None
    anchors.write_text("nothing", encoding="ascii")
    for path in (anchors, tmp_path / "missing.pem"):
        with pytest.raises(UsageError, match="DEJAFAKE_C2PA_TRUST_ANCHORS"):
            ProvenanceLimits.from_settings(Settings(c2pa_trust_anchors=path))


@pytest.mark.parametrize(
    "packet",
    [
        xmp_packet("", f'Iptc4xmpExt:DigitalSourceType="{TRAINED}"'),
        xmp_packet(f"<Iptc4xmpExt:DigitalSourceType>{TRAINED}</Iptc4xmpExt:DigitalSourceType>"),
        xmp_packet(f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{TRAINED}"/>'),
        xmp_packet("", 'Iptc4xmpExt:DigitalSourceType="trainedAlgorithmicMedia"'),
        xmp_packet("", f'Iptc4xmpExt:DigitalSourceType="{TRAINED}"').encode("utf-16"),
    ],
    ids=["attribute", "element", "resource", "code alone", "UTF-16"],
)
def test_the_digital_source_type_is_read_however_it_is_written(packet: str | bytes) -> None:
    (found,) = of_kind(jpeg_with_xmp(packet), ProvenanceKind.DECLARATION)
    assert found.digital_source_type == "trainedAlgorithmicMedia"
    assert found.worth is EvidenceKind.SELF_DECLARED
    assert "made by a generative model" in found.statement


def test_xmp_is_read_from_png_and_webp_too() -> None:
    packet = xmp_packet("", f'Iptc4xmpExt:DigitalSourceType="{TRAINED}"')
    in_png = png_with({"XML:com.adobe.xmp": packet})
    in_webp = encoded(scene(1), "WEBP", xmp=packet.encode())
    in_tiff = encoded(scene(1), "TIFF", tiffinfo={700: packet.encode()})
    for data in (in_png, in_webp, in_tiff, encoded(scene(1), "AVIF", xmp=packet.encode())):
        (found,) = of_kind(data, ProvenanceKind.DECLARATION)
        assert found.digital_source_type == "trainedAlgorithmicMedia"


def test_xmp_is_read_from_a_gif() -> None:
    data = gif_with_xmp(xmp_packet("", f'Iptc4xmpExt:DigitalSourceType="{TRAINED}"'))
    assert opened(data).format == "GIF"
    (found,) = of_kind(data, ProvenanceKind.DECLARATION)
    assert found.digital_source_type == "trainedAlgorithmicMedia"


LONG = f"<Iptc4xmpExt:DigitalSourceType>{TRAINED}</Iptc4xmpExt:DigitalSourceType>"


def test_what_did_not_fit_into_the_packet_of_a_jpeg_is_put_together() -> None:
    (found,) = of_kind(extended_xmp(LONG), ProvenanceKind.DECLARATION)
    assert found.digital_source_type == "trainedAlgorithmicMedia"


@pytest.mark.parametrize(
    ("data", "limit", "why"),
    [
        (extended_xmp(LONG).replace(b"trained", b"drained"), 1_000_000, "incomplete, or was changed"),
        (extended_xmp(LONG).replace(b"/xmp/extension/", b"/xmp/extensioN/", 1), 1_000_000, "incomplete"),
        (extended_xmp(LONG + " " * 1_000), 1_500, "larger than 1,500 bytes"),
        (extended_xmp(LONG).replace(struct.pack(">I", 100), struct.pack(">I", 2**31)), 1_000_000, "do not fit"),
        (extended_xmp("<!DOCTYPE a [<!ENTITY b 'c'>]>"), 1_000_000, "not well-formed"),
    ],
    ids=["changed", "incomplete", "too large", "beyond its end", "broken"],
)
def test_an_extension_that_does_not_hold_is_named_and_not_read(data: bytes, limit: int, why: str) -> None:
    found = read_provenance(data, ProvenanceLimits(max_block_bytes=limit)).findings
    assert [one.kind for one in found] == [ProvenanceKind.UNREADABLE]
    assert why in found[0].statement


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_iptc_names_whom_it_credits_and_its_software(kind: str) -> None:
    resources = iptc_resources({80: "Zoë Example", 110: "Made with Example AI", 65: "Example Desk", 70: "7"})
    if kind == "JPEG":
        head, tail = resources[:40], resources[40:]  # it goes on in a second segment
        segments = ((0xED, b"Photoshop 3.0\0" + part) for part in (head, tail))
        data = with_segments(encoded(scene(1), "JPEG"), *segments)
    else:
        data = encoded(scene(1), "TIFF", tiffinfo={34377: resources})
    (found,) = of_kind(data, ProvenanceKind.DECLARATION)
    assert found.credits == Credits(byline="Zoë Example", credit="Made with Example AI")
    assert "credit 'Made with Example AI'" in found.statement
    assert found.worth is EvidenceKind.SELF_DECLARED
    (program,) = of_kind(data, ProvenanceKind.SOFTWARE)
    assert (program.software, program.made_with) == ("Example Desk 7", "Example Desk")


def test_the_mark_of_facebook_is_named() -> None:
    resources = b"Photoshop 3.0\0" + iptc_resources({40: "FBMD0a000abc"})
    (found,) = of_kind(with_segments(encoded(scene(1), "JPEG"), (0xED, resources)), ProvenanceKind.SOFTWARE)
    assert found.made_with == "Facebook"


def test_the_ai_fields_of_iptc_are_read() -> None:
    attributes = (
        'Iptc4xmpExt:AISystemUsed="Example Diffusion 3" Iptc4xmpExt:AISystemVersionUsed="3.1" '
        'Iptc4xmpExt:AIPromptInformation="a flooded street" Iptc4xmpExt:AIPromptWriterName="Someone"'
    )
    (found,) = of_kind(jpeg_with_xmp(xmp_packet("", attributes)), ProvenanceKind.DECLARATION)
    assert found.declaration == Declaration("Example Diffusion 3", "3.1", "a flooded street", "Someone")
    assert found.made_with == "Example Diffusion"


LABEL = '{"Label": "1", "ContentProducer": "00119144030071526726X2"}'


@pytest.mark.parametrize(
    "data",
    [
        jpeg_with_xmp(xmp_packet(f"<TC260:AIGC>{LABEL}</TC260:AIGC>")),
        png_with({"AIGC": LABEL}),
        user_comment('{"AIGC": ' + LABEL + "}"),
    ],
    ids=["XMP", "PNG", "EXIF"],
)
def test_the_label_of_tc260_is_read(data: bytes) -> None:
    (found,) = of_kind(data, ProvenanceKind.DECLARATION)
    assert found.declaration == Declaration(tc260_label="1", tc260_producer="00119144030071526726X2")
    assert "made by AI" in found.statement


def test_the_chain_of_software_is_listed_once_each() -> None:
    history = "".join(
        f'<rdf:li stEvt:action="saved" stEvt:softwareAgent="{name}"/>'
        for name in ("Adobe Photoshop 25.1 (Windows)", "Adobe Lightroom 7.0", "Adobe Photoshop 25.1 (Windows)")
    )
    packet = xmp_packet(f"<xmpMM:History><rdf:Seq>{history}</rdf:Seq></xmpMM:History>", 'xmp:CreatorTool="GIMP 2.10"')
    found = of_kind(jpeg_with_xmp(packet), ProvenanceKind.SOFTWARE)
    assert [one.software for one in found] == ["GIMP 2.10", "Adobe Photoshop 25.1 (Windows)", "Adobe Lightroom 7.0"]
    assert [one.made_with for one in found] == ["GIMP", "Adobe Photoshop", "Adobe Lightroom"]


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (BOMB, "document type or entities"),
        (OUTSIDE, "document type or entities"),
        (b"<x><y></x>", "not well-formed"),
        (b'<?xml version="1.0" encoding="made-up"?><x/>', "unknown encoding"),
        (b"<a>" * 3_000 + b"</a>" * 3_000, "too deep"),
        (b"<r>" + b"<a/>" * 20_001 + b"</r>", "too many elements"),
        (b"<r>" + b"<a/>" * 200_000 + b"</r>", "too many elements"),
    ],
)
def test_a_hostile_packet_is_refused_as_a_finding(packet: bytes, why: str) -> None:
    found = read_provenance(encoded(scene(1), "WEBP", xmp=packet)).findings
    assert [one.kind for one in found] == [ProvenanceKind.UNREADABLE]
    assert why in found[0].statement


def test_blocks_over_the_limit_are_named_and_not_read() -> None:
    small = dataclasses.replace(ProvenanceLimits(), max_block_bytes=1_000)
    packet = xmp_packet(" " * 2_000, f'Iptc4xmpExt:DigitalSourceType="{TRAINED}"')
    for data in (jpeg_with_xmp(packet), png_with({"parameters": "x" * 2_000})):
        found = read_provenance(data, small).findings
        assert [one.kind for one in found] == [ProvenanceKind.UNREADABLE]
