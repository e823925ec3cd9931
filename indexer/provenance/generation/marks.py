"""The marks by which generators are known: PNG keywords, EXIF's user comment, XMP. Which text goes to which reader."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from indexer.provenance.findings import Finding, Generation, ProvenanceLimits
from indexer.provenance.generation import comfyui, documents, infotext
from indexer.vocabulary import EvidenceKind, ProvenanceKind, Technique


@dataclass(frozen=True, slots=True)
class Words:
    """All texts of a file in which generators write: PNG texts by keyword (or what stands at another `place` in their
    stead), EXIF's, and XMP's user comment."""

    place: str = "PNG text"
    texts: Mapping[str, str] = field(default_factory=dict)
    comment: str | None = None
    make: str | None = None
    model: str | None = None
    description: str | None = None
    windows: tuple[str, ...] = ()
    xmp_comment: str | None = None


_KEYWORDS = {
    "invokeai_metadata": "InvokeAI",
    "invokeai_graph": "InvokeAI",
    "sd-metadata": "InvokeAI",
    "Dream": "InvokeAI",
    "sui_image_params": "SwarmUI",
    "fooocus_scheme": "Fooocus",
    "workflow": "ComfyUI",
    "parameters": "an image generator",
}
"""PNG keywords that give a generator away even when what stands there cannot be read."""


def read_generations(words: Words, limits: ProvenanceLimits) -> list[Finding]:
    """One finding a generator that wrote something that is understood; else one that names the mark it left."""
    findings = [_finding(where, generation) for where, generation in _read(words, limits)]
    if findings:
        return findings
    marked = next(((key, tool) for key, tool in _KEYWORDS.items() if key in words.texts), None)
    if words.texts.get("Software") == "NovelAI":
        marked = ("Software", "NovelAI")
    return [] if marked is None else [_marked(words.place, *marked)]


def _read(words: Words, limits: ProvenanceLimits) -> Iterator[tuple[str, Generation]]:
    texts = words.texts
    if "invokeai_metadata" in texts:
        yield from _known(
            f"{words.place} invokeai_metadata", documents.read_invokeai(texts["invokeai_metadata"], limits)
        )
    elif "sd-metadata" in texts or "Dream" in texts:
        old = documents.read_old_invokeai(texts.get("sd-metadata"), texts.get("Dream"), limits)
        yield from _known(f"{words.place} sd-metadata or Dream", old)
    if texts.get("Software") == "NovelAI" or '"request_type"' in texts.get("Comment", ""):
        yield from _known(f"{words.place} Comment", documents.read_novelai(texts, limits))
    yield from _parameters(words, limits)
    prompt = texts.get("prompt") or _labelled(words, "prompt")
    workflow = texts.get("workflow") or _labelled(words, "workflow")
    if prompt or workflow:
        yield from _known("prompt and workflow texts", comfyui.read_comfyui(prompt, workflow, limits))
    if words.xmp_comment is not None:
        yield from _known("XMP packet", documents.read_draw_things(words.xmp_comment, limits))


def _parameters(words: Words, limits: ProvenanceLimits) -> Iterator[tuple[str, Generation]]:
    """`parameters`, which four generators share, in a PNG or in EXIF: the first that is understood counts."""
    places = (
        (f"{words.place} parameters", words.texts.get("parameters")),
        (f"{words.place} sui_image_params", words.texts.get("sui_image_params")),
        ("EXIF user comment", words.comment),
        ("EXIF model", words.model),
        ("EXIF description", words.description),
        *(("EXIF text of Windows", written) for written in words.windows),
    )
    for where, written in places:
        generation = None if written is None else _one_of_four(written, limits)
        if generation is not None:
            yield where, generation
            return


def _one_of_four(written: str, limits: ProvenanceLimits) -> Generation | None:
    if written.lstrip().startswith("{"):
        if "sui_image_params" in written:
            return documents.read_swarmui(written, limits)
        return documents.read_fooocus(written, limits)
    return infotext.read_infotext(written, limits) if infotext.is_infotext(written) else None


def _labelled(words: Words, label: str) -> str | None:
    """ComfyUI's WebP files: EXIF tags that hold `prompt:{…}` and `workflow:{…}`."""
    tags = (words.make, words.model, words.description)
    labelled = (tag for tag in tags if tag is not None and tag.startswith(f"{label}:"))
    return next((tag.removeprefix(f"{label}:") for tag in labelled), None)


def _known(where: str, generation: Generation | None) -> Iterator[tuple[str, Generation]]:
    if generation is not None:
        yield where, generation


def _finding(where: str, generation: Generation) -> Finding:
    technique = generation.techniques[0] if generation.techniques else Technique.UNKNOWN
    model = f" with the model {generation.model}" if generation.model else ""
    how = f" by {technique.value.replace('_', ' ')}" if generation.techniques else ""
    return Finding(
        kind=ProvenanceKind.GENERATION,
        worth=EvidenceKind.SELF_DECLARED,
        statement=f"The {where} says that {generation.tool} made the picture{model}{how}. Anyone can write that.",
        where=where,
        made_with=generation.tool,
        technique=technique,
        generation=generation,
    )


def _marked(where: str, key: str, tool: str) -> Finding:
    return Finding(
        kind=ProvenanceKind.GENERATION,
        worth=EvidenceKind.SELF_DECLARED,
        statement=f"The {where} {key} is the mark of {tool}, but what stands in it could not be read.",
        where=f"{where} {key}",
        made_with=None if tool.startswith("an ") else tool,
    )
