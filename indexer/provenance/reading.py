"""Everything a file says about its own origin, source by source. Hostile bytes never make it fail."""

import logging
from collections.abc import Callable

from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import DecodedImage, decode
from indexer.imaging.sniffing import sniff
from indexer.provenance import xmp
from indexer.provenance.container import Blocks, read_into
from indexer.provenance.credentials import read_credentials
from indexer.provenance.exif import Exif, read_exif
from indexer.provenance.extended_xmp import assemble
from indexer.provenance.findings import Camera, Declaration, Finding, Provenance, ProvenanceLimits, unreadable
from indexer.provenance.generation import Words, read_generations
from indexer.provenance.hidden import HiddenTextError, hidden_texts
from indexer.provenance.iptc import read_iptc
from indexer.provenance.previews import compare_preview
from indexer.provenance.untyped import json_object, mapping, product, text
from indexer.provenance.watermark import read_watermark
from indexer.vocabulary import EvidenceKind, ProvenanceKind

_MAX_SOFTWARE = 10
_PARTS = (
    "C2PA manifest",
    "file's structure",
    "metadata",
    "alpha channel",
    "watermark",
    "generator's parameters",
    "XMP packet",
    "AIGC label",
    "IPTC-IIM block",
    "EXIF preview",
)
_FAULTS = (AssertionError, AttributeError, ImportError, NameError, NotImplementedError, TypeError)
"""Errors no file should cause: they mean a bug here."""

_log = logging.getLogger(__name__)


def read_provenance(
    data: bytes, limits: ProvenanceLimits | None = None, picture: DecodedImage | None = None
) -> Provenance:
    """What the bytes of an image file say about its origin; nothing is fetched, and no exception leaves here.

    Args:
        data: the untouched bytes.
        limits: how much is read.
        picture: the picture in `data`, when it is decoded already; else it is decoded here.
    """
    bounds = limits or ProvenanceLimits()
    try:
        name = sniff(data)
    except ImageRejectedError:
        return Provenance()
    findings = _guarded("C2PA manifest", lambda: read_credentials(name, data, bounds))
    blocks = Blocks()
    findings += _guarded("file's structure", lambda: read_into(blocks, name, data, bounds))
    try:
        shown = decode(data, bounds.picture) if picture is None else picture
    except ImageRejectedError:
        shown = None
    findings += _guarded("metadata", lambda: _from_blocks(blocks, bounds, shown))
    if shown is not None:
        findings += _guarded("alpha channel", lambda: _hidden(shown, bounds, findings))
        findings += _guarded("watermark", lambda: read_watermark(shown.rgb))
    complete = not any(finding in findings for finding in map(_fault, _PARTS))
    return Provenance(tuple(findings[: bounds.max_findings]), complete)


def _guarded(what: str, read: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return read()
    except _FAULTS:
        _log.exception("reading the %s of a file failed: please report it", what)
        return [_fault(what)]
    except Exception as error:  # noqa: BLE001 - whatever a hostile file provokes, the picture itself is still good
        _log.info("the %s of a file cannot be read: %r", what, error)
        return [unreadable(what, f"it is damaged ({type(error).__name__})")]


def _fault(what: str) -> Finding:
    return unreadable(what, "dejafake failed, see its log")


def _hidden(picture: DecodedImage, limits: ProvenanceLimits, findings: list[Finding]) -> list[Finding]:
    """Text hidden in the alpha channel, unless the file also says it openly."""
    if picture.alpha is None:
        return []
    try:
        texts = hidden_texts(picture.alpha, limits.max_block_bytes)
    except HiddenTextError as error:
        return [unreadable("text hidden in the alpha channel", str(error))]
    known = [finding.generation for finding in findings if finding.generation is not None]
    hidden_findings = read_generations(Words(place="text hidden in the alpha channel,", texts=texts), limits)
    return [finding for finding in hidden_findings if finding.generation is None or finding.generation not in known]


def _from_blocks(blocks: Blocks, limits: ProvenanceLimits, picture: DecodedImage | None) -> list[Finding]:
    exif = Exif() if blocks.exif is None else read_exif(blocks.exif, limits)
    findings: list[Finding] = []
    packet = _xmp(blocks, limits, findings)
    words = Words(
        texts=blocks.texts,
        comment=exif.comment,
        make=exif.make,
        model=exif.model,
        description=exif.description,
        windows=exif.windows,
        xmp_comment=packet.first("UserComment", limits.max_block_bytes),
    )
    findings += _guarded("generator's parameters", lambda: read_generations(words, limits))
    findings += _guarded("XMP packet", lambda: xmp.declarations(packet, limits))
    findings += _guarded("AIGC label", lambda: _aigc(blocks, exif))
    findings += _guarded("IPTC-IIM block", lambda: read_iptc(blocks.photoshop, limits))
    findings += _camera(exif.camera)
    findings += _software(exif, packet, blocks)
    if exif.preview is not None and blocks.exif is not None and picture is not None:
        preview, block, shown = exif.preview, blocks.exif, picture.rgb
        findings += _guarded("EXIF preview", lambda: compare_preview(preview, block, shown))
    return findings


def _xmp(blocks: Blocks, limits: ProvenanceLimits, findings: list[Finding]) -> xmp.Xmp:
    """The properties of the packet and its extension; what is refused becomes a finding."""
    packet = xmp.Xmp()
    try:
        for written in blocks.xmp[:1]:
            packet = xmp.parse(written)
    except xmp.XmpRefusedError as error:
        findings.append(unreadable("XMP packet", str(error)))
    name = packet.first("HasExtendedXMP")
    if name is None or not blocks.xmp_portions:
        return packet
    try:
        extension = assemble(blocks.xmp_portions, name, limits.max_block_bytes)
        return packet if extension is None else packet.joined(xmp.parse(extension))
    except xmp.XmpRefusedError as error:
        findings.append(unreadable("extended XMP packet", str(error)))
        return packet


def _aigc(blocks: Blocks, exif: Exif) -> list[Finding]:
    """China's TC260 label outside XMP: a PNG text of its own, or the user comment."""
    places = (("PNG text AIGC", blocks.texts.get("AIGC")), ("EXIF user comment", exif.comment))
    for where, written in places:
        if written is None or "Label" not in written:
            continue
        document = json_object(written[:20_000])
        document = mapping(document.get("AIGC")) or document
        label, producer = text(document.get("Label")), text(document.get("ContentProducer"))
        if label is not None:
            return [xmp.declaration(Declaration(tc260_label=label, tc260_producer=producer), None, where)]
    return []


def _camera(camera: Camera | None) -> list[Finding]:
    if camera is None or not (camera.make or camera.model):
        return []
    named = " ".join(dict.fromkeys(part for part in (camera.make, camera.model) if part))
    if named.startswith(("prompt:", "workflow:", "{")):
        return []  # ComfyUI's and SwarmUI's words in a camera's place
    when = f" at {camera.taken_at}" if camera.taken_at else ""
    return [
        Finding(
            kind=ProvenanceKind.CAMERA,
            worth=EvidenceKind.SELF_DECLARED,
            statement=f"EXIF names the camera {named}{when}. EXIF can be copied from another picture.",
            where="EXIF",
            made_with=text(named),
            camera=camera,
        )
    ]


def _software(exif: Exif, packet: xmp.Xmp, blocks: Blocks) -> list[Finding]:
    """The chain of programs the file names, each once."""
    named = [("PNG text Software", text(blocks.texts.get("Software"))), ("EXIF", exif.software)]
    named.append(("XMP packet", packet.first("CreatorTool")))
    named += [("XMP history", text(agent)) for agent in packet.values.get("softwareAgent", [])]
    chain: dict[str, str] = {}
    for where, name in named:
        if name is not None:
            chain.setdefault(name, where)
    return [
        Finding(
            kind=ProvenanceKind.SOFTWARE,
            worth=EvidenceKind.SELF_DECLARED,
            statement=f"The {where} names the software {name}.",
            where=where,
            made_with=product(name),
            software=name,
        )
        for name, where in list(chain.items())[:_MAX_SOFTWARE]
    ]
