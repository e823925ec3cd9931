"""Findings about a file's own origin: frozen records, each with its worth."""

from dataclasses import dataclass
from pathlib import Path

from indexer.errors import UsageError
from indexer.imaging.limits import ImageLimits
from indexer.settings import MIB, Settings
from indexer.vocabulary import EvidenceKind, ProvenanceKind, Technique

NAME_LENGTH = 200
"""Longest name, hash or seed kept, in characters."""


_PICTURE = ImageLimits(max_bytes=64 * MIB, max_pixels=100_000_000, max_frames=2_000)


@dataclass(frozen=True, slots=True)
class ProvenanceLimits:
    """How much of a file's metadata is read.

    `max_block_bytes`: largest single block (a text chunk unpacked, an XMP packet, an EXIF block); larger ones are named
    and not read. `max_text_length`: characters kept of a prompt. `max_findings`: most findings of one file.
    `trust_anchors`: PEM certificates of the authorities whose C2PA signers are trusted, None for none. `picture`: what
    is decoded where the picture is not at hand.
    """

    max_block_bytes: int = 1_000_000
    max_text_length: int = 10_000
    max_findings: int = 50
    trust_anchors: str | None = None
    picture: ImageLimits = _PICTURE

    @classmethod
    def from_settings(cls, settings: Settings) -> "ProvenanceLimits":
        """The limits an installation is set to.

        Raises:
            UsageError: the file of trust anchors cannot be read or holds no certificate.
        """
        path = settings.c2pa_trust_anchors
        anchors = None if path is None else _anchors(path)
        return cls(trust_anchors=anchors, picture=ImageLimits.from_settings(settings))


@dataclass(frozen=True, slots=True)
class Lora:
    """A fine-tuned addition to a model: name, hash and weight as the file states them."""

    name: str
    hash: str | None = None
    weight: str | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """How an image generator says it made the picture; everything as the file states it.

    `techniques` are all it implies, the one that says most first; empty where it does not tell. `strength` is how much
    of a source picture was replaced, `controls` what else steered the picture (ControlNet, IP-Adapter and the like).
    """

    tool: str
    tool_version: str | None = None
    techniques: tuple[Technique, ...] = ()
    prompt: str | None = None
    negative_prompt: str | None = None
    model: str | None = None
    model_hash: str | None = None
    seed: str | None = None
    sampler: str | None = None
    steps: str | None = None
    strength: str | None = None
    loras: tuple[Lora, ...] = ()
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """A C2PA manifest. `validation_state` is `invalid`, `valid` (the signature holds, who signed is unknown) or
    `trusted` (an authority among the trust anchors vouches for the signer); None where only `manifest_url` is known."""

    validation_state: str | None = None
    issuer: str | None = None
    signer: str | None = None
    generators: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    manifest_url: str | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """What XMP declares about artificial intelligence: IPTC 2025.1 fields, and the label of China's TC260-PG-20252A."""

    ai_system: str | None = None
    ai_system_version: str | None = None
    ai_prompt: str | None = None
    ai_prompt_writer: str | None = None
    tc260_label: str | None = None
    tc260_producer: str | None = None


@dataclass(frozen=True, slots=True)
class Credits:
    """Whom IPTC-IIM credits, in the words of the file: its fields by-line, credit, source and special instructions."""

    byline: str | None = None
    credit: str | None = None
    source: str | None = None
    instructions: str | None = None


@dataclass(frozen=True, slots=True)
class Camera:
    """What EXIF says took the picture. `taken_at` as written, without a time zone; `position` is "latitude, longitude"
    in degrees."""

    make: str | None = None
    model: str | None = None
    lens: str | None = None
    serial: str | None = None
    taken_at: str | None = None
    position: str | None = None


@dataclass(frozen=True, slots=True)
class ThumbnailComparison:
    """An embedded preview compared with the picture: its size, and the PDQ distance between both, of 256 bits."""

    width: int
    height: int
    distance: int


@dataclass(frozen=True, slots=True)
class Watermark:
    """A watermark message found in the pixels: its owner (`name`), and how many of its `length` bits match."""

    name: str
    matching: int
    length: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a file says about its origin.

    `worth` is what that rests on: `cryptographic` (a trusted signature), `self_declared` (anyone could have written
    it), `statistical` (it was measured). `where` names the part of the file, `made_with` the tool without its version.
    At most one of the last seven is given, by `kind`.
    """

    kind: ProvenanceKind
    worth: EvidenceKind
    statement: str
    where: str
    made_with: str | None = None
    technique: Technique = Technique.UNKNOWN
    digital_source_type: str | None = None
    software: str | None = None
    credentials: Credentials | None = None
    declaration: Declaration | None = None
    credits: Credits | None = None
    generation: Generation | None = None
    camera: Camera | None = None
    thumbnail: ThumbnailComparison | None = None
    watermark: Watermark | None = None

    @property
    def model_hash(self) -> str | None:
        """The hash of the generator's model, lower case."""
        return None if self.generation is None else self.generation.model_hash


@dataclass(frozen=True, slots=True)
class Provenance:
    """All findings of one file.

    No findings mean nothing: most programs and platforms remove metadata. `complete` is False if dejafake itself
    failed, so that the file can be read again after a fix.
    """

    findings: tuple[Finding, ...] = ()
    complete: bool = True


def unreadable(where: str, why: str) -> Finding:
    """The finding that a part of a file could not be read, which is no failure of the file as a picture."""
    return Finding(
        kind=ProvenanceKind.UNREADABLE,
        worth=EvidenceKind.SELF_DECLARED,
        statement=f"The {where} could not be read: {why}.",
        where=where,
    )


def _anchors(path: Path) -> str:
    try:
        pem = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise UsageError(f"DEJAFAKE_C2PA_TRUST_ANCHORS: {path} cannot be read ({error}); give a PEM file") from None
    if "-----BEGIN CERTIFICATE-----" not in pem:
        raise UsageError(f"DEJAFAKE_C2PA_TRUST_ANCHORS: {path} holds no PEM certificate")
    return pem
