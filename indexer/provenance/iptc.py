"""IPTC-IIM inside Photoshop image resources: who is credited, and marks of programs (IPTC-NAA IIM 4.2, record 2).

IIM has no field for AI: programs that say it write it into the credit line. Facebook writes a mark of its own into the
special instructions of pictures it serves.
"""

from collections.abc import Iterator

from indexer.provenance.findings import Credits, Finding, ProvenanceLimits
from indexer.provenance.untyped import product, text
from indexer.vocabulary import EvidenceKind, ProvenanceKind

_WHERE = "IPTC-IIM block"
_RESOURCE, _IIM = b"8BIM", 0x0404
_MAX_RESOURCES, _MAX_DATASETS = 200, 500
_UTF8 = b"\x1b%G"
_INSTRUCTIONS, _PROGRAM, _VERSION, _BYLINE, _CREDIT, _SOURCE = 40, 65, 70, 80, 110, 115
_FACEBOOK = "FBMD"


def read_iptc(resources: bytes, limits: ProvenanceLimits) -> list[Finding]:
    """What the resources of a file say of its origin."""
    words = _words(resources, limits)
    credits = Credits(
        byline=words.get(_BYLINE),
        credit=words.get(_CREDIT),
        source=words.get(_SOURCE),
        instructions=words.get(_INSTRUCTIONS),
    )
    findings: list[Finding] = []
    if credits != Credits():
        findings.append(_credits(credits))
    if (program := words.get(_PROGRAM)) is not None:
        version = words.get(_VERSION)
        findings.append(_software(program if version is None else f"{program} {version}", "names the software"))
    if (credits.instructions or "").startswith(_FACEBOOK):
        findings.append(_software("Facebook", f"carries the mark {_FACEBOOK} of pictures served by"))
    return findings


def _credits(credits: Credits) -> Finding:
    named = (("by-line", credits.byline), ("credit", credits.credit), ("source", credits.source))
    statements = [f"{name} {value!r}" for name, value in (*named, ("instructions", credits.instructions)) if value]
    return Finding(
        kind=ProvenanceKind.DECLARATION,
        worth=EvidenceKind.SELF_DECLARED,
        statement=f"The {_WHERE} says: {', '.join(statements)}. Anyone can write that.",
        where=_WHERE,
        credits=credits,
    )


def _software(name: str, how: str) -> Finding:
    return Finding(
        kind=ProvenanceKind.SOFTWARE,
        worth=EvidenceKind.SELF_DECLARED,
        statement=f"The {_WHERE} {how} {name}.",
        where=_WHERE,
        made_with=product(name),
        software=name,
    )


def _words(resources: bytes, limits: ProvenanceLimits) -> dict[int, str]:
    """The first text of each data set of record 2 that is read here."""
    numbers = {_INSTRUCTIONS, _PROGRAM, _VERSION, _BYLINE, _CREDIT, _SOURCE}
    words: dict[int, str] = {}
    encoding = "latin-1"
    for record, number, content in _data_sets(_iim(resources)):
        if (record, number) == (1, 90):
            encoding = "utf-8" if content == _UTF8 else encoding
        elif record == 2 and number in numbers and number not in words:
            written = text(content[: limits.max_text_length].decode(encoding, "replace"))
            words |= {} if written is None else {number: written}
    return words


def _iim(resources: bytes) -> bytes:
    """The first IIM block among image resources: mark, number, padded name, length, padded content."""
    at = 0
    for _ in range(_MAX_RESOURCES):
        if resources[at : at + 4] != _RESOURCE:
            break
        number, name = int.from_bytes(resources[at + 4 : at + 6], "big"), resources[at + 6 : at + 7]
        at += 6 + (len(name) + int.from_bytes(name, "big") + 1 & ~1)
        length = int.from_bytes(resources[at : at + 4], "big")
        if number == _IIM:
            return resources[at + 4 : at + 4 + length]
        at += 4 + (length + 1 & ~1)
    return b""


def _data_sets(block: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Record, number and content of the data sets; one with an extended length, which none read here needs, ends it."""
    at = 0
    for _ in range(_MAX_DATASETS):
        length = int.from_bytes(block[at + 3 : at + 5], "big")
        if block[at : at + 1] != b"\x1c" or length & 0x8000 or at + 5 + length > len(block):
            return
        yield block[at + 1], block[at + 2], block[at + 5 : at + 5 + length]
        at += 5 + length
