"""XMP: what a picture's RDF packet declares (IPTC digital source type and AI fields, TC260, software chain).

Parsed by defusedxml, which refuses document types and entities; an XMP packet has neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element  # the type only; parsing is defusedxml's

from indexer.provenance.findings import Declaration, Finding, ProvenanceLimits
from indexer.provenance.untyped import json_object, product, text
from indexer.vocabulary import EvidenceKind, ProvenanceKind

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LISTS = frozenset({f"{_RDF}Bag", f"{_RDF}Seq", f"{_RDF}Alt"})
_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 50
_MAX_VALUES = 10

SOURCE_TYPES = {
    "trainedAlgorithmicMedia": "made by a generative model",
    "compositeWithTrainedAlgorithmicMedia": "edited with a generative model",
    "algorithmicMedia": "made by an algorithm that was not trained",
    "algorithmicallyEnhanced": "enhanced by an algorithm",
    "compositeSynthetic": "composed with synthetic parts",
    "composite": "composed of several pictures",
    "compositeCapture": "composed of several captures",
    "trainedAlgorithmicData": "data made by a generative model",
    "dataDrivenMedia": "drawn from data",
    "digitalCapture": "captured by a digital camera",
    "computationalCapture": "captured by a camera that merges several frames",
    "negativeFilm": "scanned from a film negative",
    "positiveFilm": "scanned from a film positive",
    "print": "scanned from a print",
    "humanEdits": "edited by a person",
    "minorHumanEdits": "edited a little by a person",
    "digitalCreation": "made by a person with digital tools",
    "digitalArt": "made by a person with digital tools",
    "virtualRecording": "recorded from a virtual event",
    "screenCapture": "captured from a screen",
}
"""IPTC digital source types (cv.iptc.org/newscodes/digitalsourcetype) in words."""

_TC260_LABELS = {"1": "made by AI", "2": "possibly made by AI", "3": "suspected to be made by AI"}


@dataclass(frozen=True, slots=True)
class Xmp:
    """The properties of a packet: their texts by local name, which is unique among those read here."""

    values: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str, limit: int = 200) -> str | None:
        """The first text of a property, cleaned."""
        return text(self.values.get(name, [None])[0], limit)

    def joined(self, other: "Xmp") -> "Xmp":
        """The properties of both packets; this one's come first."""
        names = [*self.values, *(name for name in other.values if name not in self.values)]
        return Xmp({name: [*self.values.get(name, []), *other.values.get(name, [])][:_MAX_VALUES] for name in names})


_WANTED = frozenset(
    {"DigitalSourceType", "AISystemUsed", "AISystemVersionUsed", "AIPromptInformation", "AIPromptWriterName"}
    | {"AIGC", "CreatorTool", "softwareAgent", "UserComment", "description", "HasExtendedXMP"}
)


class XmpRefusedError(ValueError):
    """The packet is not read; the message says why."""


def parse(packet: bytes) -> Xmp:
    """The properties of a packet that is bounded in size already.

    Raises:
        XmpRefusedError: it is not well-formed, has a document type or entities, or is too deep or too full.
    """
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    if packet.count(b"<") > 3 * _MAX_ELEMENTS:  # a cheap look before the parser builds them all
        raise XmpRefusedError("it has too many elements")
    parser = ElementTree.DefusedXMLParser(forbid_dtd=True)
    try:
        parser.feed(packet if _is_wide(packet) else packet.rstrip(b"\0 \r\n\t"))
        root = parser.close()
    except DefusedXmlException:
        raise XmpRefusedError("it has a document type or entities, which no XMP packet has") from None
    except (ElementTree.ParseError, LookupError, ValueError):
        raise XmpRefusedError("it is not well-formed XML, or in an unknown encoding") from None
    values: dict[str, list[str]] = {}
    for name, value in _properties(root):
        if name in _WANTED and len(values.setdefault(name, [])) < _MAX_VALUES:
            values[name].append(value)
    return Xmp(values)


def _is_wide(packet: bytes) -> bool:
    """Whether its characters take more than one byte, so that a NUL at its end is half of one."""
    return packet.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in packet[:4]


def _properties(root: Element) -> Iterator[tuple[str, str]]:
    """Local names and texts of all properties, however they are written: attribute, element, resource or list."""
    seen = 0
    stack: list[tuple[Element, str, int]] = [(root, "", 0)]
    while stack:
        element, owner, depth = stack.pop()
        seen += 1
        if seen > _MAX_ELEMENTS or depth > _MAX_DEPTH:
            raise XmpRefusedError("it has too many elements, or too deep ones")
        name = owner if element.tag == f"{_RDF}li" or element.tag in _LISTS else _local(element.tag)
        for attribute, value in element.attrib.items():
            if attribute == f"{_RDF}resource":
                yield name, value
            elif not attribute.startswith(_RDF):
                yield _local(attribute), value
        if element.text and element.text.strip():
            yield name, element.text.strip()
        stack.extend((child, name, depth + 1) for child in reversed(element))


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def declarations(xmp: Xmp, limits: ProvenanceLimits) -> list[Finding]:
    """What a packet declares about how the picture came to be."""
    code = source_type(xmp.first("DigitalSourceType"))
    tc260 = json_object(xmp.first("AIGC", 2_000))
    declared = Declaration(
        ai_system=xmp.first("AISystemUsed"),
        ai_system_version=xmp.first("AISystemVersionUsed"),
        ai_prompt=xmp.first("AIPromptInformation", limits.max_text_length),
        ai_prompt_writer=xmp.first("AIPromptWriterName"),
        tc260_label=text(tc260.get("Label")),
        tc260_producer=text(tc260.get("ContentProducer")),
    )
    if code is None and declared == Declaration():
        return []
    return [declaration(declared, code, "XMP packet")]


def declaration(declared: Declaration, code: str | None, where: str) -> Finding:
    """The finding for what a file declares about artificial intelligence."""
    sentences = [] if code is None else [f"it was {SOURCE_TYPES.get(code, code)} (digital source type {code})"]
    if declared.ai_system:
        sentences.append(f"the AI system used was {declared.ai_system}")
    if declared.tc260_label:
        sentences.append(
            f"it is {_TC260_LABELS.get(declared.tc260_label, 'labelled')} (TC260 label {declared.tc260_label})"
        )
    return Finding(
        kind=ProvenanceKind.DECLARATION,
        worth=EvidenceKind.SELF_DECLARED,
        statement=f"The {where} declares that {', '.join(sentences) or 'AI was used'}. Anyone can write that.",
        where=where,
        made_with=None if declared.ai_system is None else product(declared.ai_system),
        digital_source_type=code,
        declaration=None if declared == Declaration() else declared,
    )


def source_type(value: str | None) -> str | None:
    """The code at the end of a digital source type, which is written as a URI or alone."""
    return None if value is None else text(value.rstrip("/").rpartition("/")[2])
