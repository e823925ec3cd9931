"""The parameters text of AUTOMATIC1111's web UI, which Forge, SD.Next, Fooocus and many others write too.

Prompt, then `Negative prompt: …`, then one line of `Key: value` pairs whose values are quoted where they hold commas.
"""

import re
from collections.abc import Mapping

from indexer.provenance.findings import Generation, Lora, ProvenanceLimits
from indexer.provenance.generation.techniques import is_face_swap, is_style_reference, techniques
from indexer.provenance.untyped import file_stem, hash_text, json_object, text
from indexer.vocabulary import Technique

_PAIR = re.compile(r'\s*([^\W_][\w \-/]{0,80}):\s*("(?:[^"\\]|\\.){0,4000}"|[^,]*)(?:,|$)')
_HASHES = re.compile(r"Hashes: (\{[^{}]{0,8000}\})(?:, |$)")
_LORA = re.compile(r"<(?:lora|lyco):([^:<>]{1,200})(?::([^:<>]{1,20}))?[^<>]{0,100}>")
_NEGATIVE = "\nNegative prompt:"
_LONGEST_LINE = 32_000
_MAX_PAIRS = 300
_MAX_LORAS = 30


def is_infotext(written: str) -> bool:
    """Whether a text looks like such parameters."""
    return "Steps: " in written and ("Sampler: " in written or "Seed: " in written)


def read_infotext(written: str, limits: ProvenanceLimits) -> Generation | None:
    """What such a text says; None when it is none."""
    before, separator, line = ("\n" + written).rpartition("\nSteps: ")
    if not separator:
        return None
    line = "Steps: " + line[:_LONGEST_LINE]
    hashes = _HASHES.search(line)
    pairs = _pairs(_HASHES.sub("", line))
    prompt, _, negative = before.partition(_NEGATIVE)
    named = {} if hashes is None else json_object(hashes.group(1))
    loras = _loras(prompt, pairs, named)
    controls = tuple(value for key, value in pairs.items() if key.startswith("ControlNet"))[:10]
    tool, version = _tool(pairs)
    return Generation(
        tool=tool,
        tool_version=version,
        techniques=_techniques(pairs, controls, lora=bool(loras)),
        prompt=text(prompt, limits.max_text_length),
        negative_prompt=text(negative, limits.max_text_length),
        model=text(pairs.get("Model")),
        model_hash=hash_text(pairs.get("Model hash") or named.get("model")),
        seed=text(pairs.get("Seed")),
        sampler=text(pairs.get("Sampler")),
        steps=text(pairs.get("Steps")),
        strength=text(pairs.get("Denoising strength")),
        loras=loras,
        controls=tuple(control for control in map(text, controls) if control is not None),
    )


def _pairs(line: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    at = 0
    while len(pairs) < _MAX_PAIRS and (pair := _PAIR.match(line, at)) is not None:
        key, value = pair.group(1).strip(), pair.group(2).strip()
        if value.startswith('"'):
            value = value.strip('"').replace('\\"', '"')
        pairs.setdefault(key, value)
        at = pair.end()
        if at >= len(line):
            break
    return pairs


def _techniques(pairs: Mapping[str, str], controls: tuple[str, ...], *, lora: bool) -> tuple[Technique, ...]:
    """A denoising strength means a source picture, unless it belongs to "hires fix", a second pass over its own."""
    keys = set(pairs)
    mask = any(
        key in keys for key in ("Mask blur", "Inpaint area", "Masked content", "Masked area padding", "Mask mode")
    )
    second_pass = any(key.startswith(("Hires", "HiRes")) for key in keys)
    return techniques(
        source_picture=mask or ("Denoising strength" in keys and not second_pass),
        mask=mask,
        style=any(is_style_reference(control) for control in controls),
        face_swap=any(is_face_swap(key) for key in keys),
        lora=lora,
    )


def _loras(prompt: str, pairs: Mapping[str, str], named: Mapping[str, object]) -> tuple[Lora, ...]:
    hashes = {
        key.strip(): hash_text(value)
        for key, _, value in (pair.partition(":") for pair in pairs.get("Lora hashes", "").split(",")[:_MAX_LORAS])
    }
    hashes |= {key[5:]: hash_text(value) for key, value in named.items() if key.startswith("lora:")}
    loras: dict[str, Lora] = {}
    for match in _LORA.finditer(prompt):
        name = file_stem(match.group(1))
        if name is not None and len(loras) < _MAX_LORAS:
            loras.setdefault(name, Lora(name, hashes.get(name), text(match.group(2))))
    for name, digest in hashes.items():
        if name and len(loras) < _MAX_LORAS:
            loras.setdefault(name, Lora(name[:200], digest))
    return tuple(loras.values())


def _tool(pairs: Mapping[str, str]) -> tuple[str, str | None]:
    """Which program wrote the text, by the version it gives of itself."""
    version, app = text(pairs.get("Version")), text(pairs.get("App"))
    if app is not None:
        return app, version
    if version is None:
        return "AUTOMATIC1111", None
    if version.startswith("Fooocus"):
        return "Fooocus", version.removeprefix("Fooocus").strip() or None
    if version.startswith("ComfyUI"):
        return "ComfyUI", version.removeprefix("ComfyUI").strip() or None
    return ("Forge" if re.match(r"f\d|neo", version) else "AUTOMATIC1111"), version
