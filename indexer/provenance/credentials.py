"""C2PA content credentials: manifest, signer, validation state, actions. Nothing is ever fetched.

By default the library would fetch a manifest whose address stands in the picture, from loopback too; here fetching
of manifests and of certificate status is off, and such an address is only recorded.
"""

import io
from collections.abc import Iterator
from typing import Any

from indexer.provenance.findings import Credentials, Finding, ProvenanceLimits, unreadable
from indexer.provenance.untyped import items, json_object, mapping, product, text
from indexer.provenance.xmp import SOURCE_TYPES, source_type
from indexer.vocabulary import EvidenceKind, ProvenanceKind

_WHERE = "C2PA manifest"
_MARKS = (b"c2pa", b"dcterms:provenance", b"http://purl.org/dc/terms/")
_MIME = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
}
_MAX_MANIFESTS = 32
_MAX_LISTED = 20
_UNTRUSTED = "signingCredential.untrusted"


def read_credentials(name: str, data: bytes, limits: ProvenanceLimits) -> list[Finding]:
    """The finding on the manifest store of a file of format `name` (a word of `sniffing.sniff`), if it has one."""
    if name not in _MIME or not any(mark in data for mark in _MARKS):
        return []  # the library takes a while to load: only for files that can have a manifest
    try:
        import c2pa
    except (ImportError, OSError) as error:
        return [unreadable(_WHERE, f"the C2PA library does not load here ({type(error).__name__})")]
    settings: dict[str, Any] = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True}}
    if limits.trust_anchors is not None:
        settings["trust"] = {"trust_anchors": limits.trust_anchors}
    try:
        with c2pa.Context.from_dict(settings) as context:
            reader = c2pa.Reader.try_create(_MIME[name], io.BytesIO(data), None, context=context)
            if reader is None:
                return []
            with reader:
                return [_finding(json_object(reader.json()), limits)]
    except c2pa.C2paError as error:
        return [_not_read(str(error))]


def _not_read(message: str) -> Finding:
    if not message.startswith("Remote: "):
        return unreadable(_WHERE, text(" ".join(message.split())) or "it is damaged")
    url = text(message.split()[-1], 2_000)
    return Finding(
        kind=ProvenanceKind.CONTENT_CREDENTIALS,
        worth=EvidenceKind.SELF_DECLARED,
        statement="The file names a C2PA manifest at another address, which was not fetched: nothing was verified.",
        where=_WHERE,
        credentials=Credentials(manifest_url=url),
    )


def _finding(store: dict[str, Any], limits: ProvenanceLimits) -> Finding:
    manifests = mapping(store.get("manifests"))
    active = str(store.get("active_manifest"))
    ordered = [mapping(manifests.get(active))]
    ordered += [
        mapping(manifest_entry) for label, manifest_entry in list(manifests.items())[:_MAX_MANIFESTS] if label != active
    ]
    signature = mapping(ordered[0].get("signature_info"))
    state = text(store.get("validation_state")) or "Invalid"
    actions = list(_actions(ordered))
    code = next((code_found for action in actions if (code_found := _source_type(action))), None)
    generators = _distinct(name for manifest in ordered for name in _generators(manifest))
    credentials = Credentials(
        validation_state=state.lower(),
        issuer=text(signature.get("issuer")),
        signer=text(signature.get("common_name")),
        generators=generators,
        actions=_distinct(text(action.get("action")) for action in actions),
        failures=_distinct(_failures(store)),
    )
    trusted = state == "Trusted"
    return Finding(
        kind=ProvenanceKind.CONTENT_CREDENTIALS,
        worth=EvidenceKind.CRYPTOGRAPHIC if trusted else EvidenceKind.SELF_DECLARED,
        statement=_statement(credentials, code),
        where=_WHERE,
        made_with=product(generators[0]) if generators else None,
        digital_source_type=code,
        credentials=credentials,
    )


def _statement(credentials: Credentials, code: str | None) -> str:
    who = credentials.issuer or credentials.signer or "an unnamed signer"
    says = "" if code is None else f" It says that the picture was {SOURCE_TYPES.get(code, code)} ({code})."
    if credentials.validation_state == "trusted":
        return f"C2PA manifest signed by {who}, whom a trust anchor vouches for; the file is unchanged since.{says}"
    if credentials.validation_state == "valid":
        return (
            f"C2PA manifest signed by {who}, for whom no trust anchor vouches: the file is unchanged since it was "
            f"signed, but anyone can sign under any name, so what it says is self-declared.{says}"
        )
    failures = ", ".join(failure for failure in credentials.failures if failure != _UNTRUSTED) or "unknown"
    return f"C2PA manifest that does not hold ({failures}): file or manifest was changed, or it was made up.{says}"


def _actions(manifests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The actions of all manifests, those of the active one first."""
    for manifest in manifests:
        for assertion in items(manifest.get("assertions"))[:100]:
            if str(mapping(assertion).get("label", "")).startswith("c2pa.actions"):
                listed = items(mapping(mapping(assertion).get("data")).get("actions"))
                yield from (mapping(action) for action in listed[:100])


def _source_type(action: dict[str, Any]) -> str | None:
    declared = action.get("digitalSourceType") or mapping(action.get("parameters")).get("digitalSourceType")
    return source_type(text(declared))


def _generators(manifest: dict[str, Any]) -> Iterator[str | None]:
    for info in items(manifest.get("claim_generator_info"))[:10]:
        name, version = text(mapping(info).get("name")), text(mapping(info).get("version"))
        yield name if version is None or name is None else f"{name} {version}"
    if not manifest.get("claim_generator_info"):
        yield text(manifest.get("claim_generator"))


def _failures(store: dict[str, Any]) -> Iterator[str | None]:
    results = mapping(mapping(store.get("validation_results")).get("activeManifest"))
    yield from (text(mapping(entry).get("code")) for entry in items(results.get("failure")))


def _distinct(values: Iterator[str | None]) -> tuple[str, ...]:
    return tuple(list(dict.fromkeys(value for value in values if value is not None))[:_MAX_LISTED])
