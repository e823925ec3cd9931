"""Generators that write their settings as one JSON document: InvokeAI, NovelAI, Fooocus, SwarmUI, Draw Things."""

import re
from collections.abc import Mapping
from typing import Any

from indexer.provenance.findings import Generation, Lora, ProvenanceLimits
from indexer.provenance.generation.techniques import is_style_reference, techniques
from indexer.provenance.untyped import file_stem, hash_text, items, json_object, mapping, number, text

_MAX_LISTED = 30
_DREAM = re.compile(r"\s-([A-Za-z])\s+([^\s]{1,200})")
_NOVELAI_MODEL = re.compile(r"(.{1,180}?)\s+([0-9A-F]{8})")


def read_invokeai(written: str, limits: ProvenanceLimits) -> Generation | None:
    """`invokeai_metadata`, as InvokeAI writes it since version 3."""
    document = json_object(written)
    mode = text(document.get("generation_mode")) or ""
    model = mapping(document.get("model"))
    if not (mode or "positive_prompt" in document or model):
        return None
    loras = tuple(lora for entry in _listed(document, "loras") if (lora := _invokeai_lora(entry)) is not None)
    controls = [
        name
        for key in ("controlnets", "t2iAdapters", "ipAdapters")
        for entry in _listed(document, key)
        if (name := _invokeai_control(key, entry)) is not None
    ]
    mask = "inpaint" in mode or "outpaint" in mode
    return Generation(
        tool="InvokeAI",
        tool_version=text(document.get("app_version")),
        techniques=techniques(
            source_picture=mask or "img2img" in mode,
            mask=mask,
            style=bool(_listed(document, "ipAdapters")) or any(map(is_style_reference, controls)),
            lora=bool(loras),
        ),
        prompt=text(document.get("positive_prompt"), limits.max_text_length),
        negative_prompt=text(document.get("negative_prompt"), limits.max_text_length),
        model=text(model.get("name") or model.get("model_name")),
        model_hash=hash_text(model.get("hash")),
        seed=text(document.get("seed")),
        sampler=text(document.get("scheduler")),
        steps=text(document.get("steps")),
        strength=text(document.get("strength")),
        loras=loras,
        controls=tuple(controls),
    )


def read_old_invokeai(metadata: str | None, dream: str | None, limits: ProvenanceLimits) -> Generation | None:
    """`sd-metadata` of InvokeAI 2, or the command line in `Dream` that it and its forerunner wrote."""
    document = json_object(metadata)
    image = mapping(document.get("image"))
    flags = dict(_DREAM.findall((dream or "")[:20_000]))
    command = dream if dream and dream.startswith('"') else ""
    if not image and not command:
        return None
    kind = text(image.get("type")) or ""
    prompts = [text(mapping(prompt).get("prompt"), limits.max_text_length) for prompt in items(image.get("prompt"))]
    mask = "inpaint" in kind or "M" in flags
    return Generation(
        tool="InvokeAI",
        tool_version=text(document.get("app_version")),
        techniques=techniques(source_picture=mask or kind == "img2img" or "I" in flags, mask=mask),
        prompt=next((prompt for prompt in prompts if prompt), None)
        or text(command[1:].split('"')[0], limits.max_text_length),
        model=text(document.get("model_weights")),
        model_hash=hash_text(document.get("model_hash")),
        seed=text(image.get("seed")) or text(flags.get("S")),
        sampler=text(image.get("sampler")) or text(flags.get("A")),
        steps=text(image.get("steps")) or text(flags.get("s")),
        strength=text(image.get("strength")) or text(flags.get("f")),
    )


def _invokeai_lora(entry: object) -> Lora | None:
    row = mapping(entry)
    model = mapping(row.get("model") or row.get("lora"))
    name = text(model.get("name") or model.get("model_name"))
    return None if name is None else Lora(name, hash_text(model.get("hash")), text(row.get("weight")))


def _invokeai_control(key: str, entry: object) -> str | None:
    row = mapping(entry)
    models = (mapping(row.get(name)) for name in ("control_model", "ip_adapter_model", "t2i_adapter_model"))
    names = (text(model.get("name") or model.get("model_name")) for model in models)
    return next((name for name in names if name), key)


def read_novelai(texts: Mapping[str, str], limits: ProvenanceLimits) -> Generation | None:
    """`Comment` of NovelAI, with the prompt in `Description` and model and hash in `Source`."""
    document = json_object(texts.get("Comment"))
    if not document:
        return None
    request = text(document.get("request_type")) or ""
    source = text(texts.get("Source"))
    model = None if source is None else _NOVELAI_MODEL.fullmatch(source)
    mask = "Infilling" in request
    references = any(
        items(document.get(key)) for key in document if key.startswith(("reference_", "director_reference_"))
    )
    return Generation(
        tool="NovelAI",
        techniques=techniques(source_picture=mask or "Img2Img" in request, mask=mask, style=references),
        prompt=text(texts.get("Description"), limits.max_text_length)
        or text(document.get("prompt"), limits.max_text_length),
        negative_prompt=text(document.get("uc"), limits.max_text_length),
        model=source if model is None else text(model.group(1)),
        model_hash=None if model is None else hash_text(model.group(2)),
        seed=text(document.get("seed")),
        sampler=text(document.get("sampler")),
        steps=text(document.get("steps")),
        strength=text(document.get("strength")) if "Img2Img" in request else None,
    )


def read_fooocus(written: str, limits: ProvenanceLimits) -> Generation | None:
    """`parameters` of Fooocus in its own scheme. It does not tell image prompts or variations from text alone."""
    document = json_object(written)
    if "base_model" not in document:
        return None
    loras = tuple(
        Lora(name, hash_text(row[2]) if len(row) > 2 else None, text(row[1]) if len(row) > 1 else None)
        for row in map(items, _listed(document, "loras"))
        if row and (name := file_stem(row[0])) is not None
    )
    mask = any(key.startswith("inpaint") and value not in (None, False, "", "None") for key, value in document.items())
    return Generation(
        tool="Fooocus",
        tool_version=(text(document.get("version")) or "").removeprefix("Fooocus").strip() or None,
        techniques=techniques(source_picture=mask, mask=mask, lora=bool(loras)),
        prompt=text(document.get("prompt"), limits.max_text_length),
        negative_prompt=text(document.get("negative_prompt"), limits.max_text_length),
        model=file_stem(document.get("base_model")),
        model_hash=hash_text(document.get("base_model_hash")),
        seed=text(document.get("seed")),
        sampler=text(document.get("sampler")),
        steps=text(document.get("steps")),
        loras=loras,
    )


def read_swarmui(written: str, limits: ProvenanceLimits) -> Generation | None:
    """`sui_image_params` of SwarmUI and the hashes in `sui_models`, wherever the document stands."""
    document = json_object(written)
    parameters = mapping(document.get("sui_image_params"))
    if not parameters:
        return None
    hashes = {text(row.get("param")): row for row in map(mapping, _listed(document, "sui_models"))}
    weights = items(parameters.get("loraweights"))
    loras = tuple(
        Lora(name, weight=text(weights[number]) if number < len(weights) else None)
        for number, value in enumerate(_listed(parameters, "loras"))
        if (name := file_stem(value)) is not None
    )
    mask = any(key.startswith("mask") for key in parameters)
    styled = [key for key in parameters if "ipadapter" in key or "stylemodel" in key or "revision" in key]
    controls = tuple(
        control
        for key in parameters
        if key.startswith("controlnetmodel") and (control := text(parameters[key])) is not None
    )
    return Generation(
        tool="SwarmUI",
        tool_version=text(parameters.get("swarm_version"))
        or text(mapping(document.get("sui_extra_data")).get("swarm_version")),
        techniques=techniques(
            source_picture=mask or any(key.startswith("initimage") for key in parameters),
            mask=mask,
            style=bool(styled) or any(map(is_style_reference, controls)),
            lora=bool(loras) or "<lora:" in str(parameters.get("prompt"))[:20_000],
        ),
        prompt=text(parameters.get("prompt"), limits.max_text_length),
        negative_prompt=text(parameters.get("negativeprompt"), limits.max_text_length),
        model=file_stem(parameters.get("model")),
        model_hash=hash_text(mapping(hashes.get("model")).get("hash")),
        seed=text(parameters.get("seed")),
        sampler=text(parameters.get("sampler")),
        steps=text(parameters.get("steps")),
        strength=text(parameters.get("initimagecreativity")),
        loras=loras,
        controls=controls,
    )


def read_draw_things(written: str | None, limits: ProvenanceLimits) -> Generation | None:
    """The JSON that Draw Things keeps in XMP's user comment; a strength below 1 means that it began from a picture."""
    document = json_object(written)
    if "c" not in document or "model" not in document:
        return None
    newer = mapping(document.get("v2"))
    listed = _listed(newer, "loras") or _listed(document, "lora")
    loras = tuple(
        Lora(name, weight=text(row.get("weight")))
        for row in map(mapping, listed)
        if (name := file_stem(row.get("file") or row.get("model"))) is not None
    )
    rows = map(mapping, _listed(newer, "controls"))
    controls = tuple(name for row in rows if (name := file_stem(row.get("file"))) is not None)
    strength = number(document.get("strength"))
    return Generation(
        tool="Draw Things",
        techniques=techniques(
            source_picture=strength is not None and strength < 1,
            style=any(map(is_style_reference, controls)),
            lora=bool(loras),
        ),
        prompt=text(document.get("c"), limits.max_text_length),
        negative_prompt=text(document.get("uc"), limits.max_text_length),
        model=file_stem(document.get("model")),
        seed=text(document.get("seed")),
        sampler=text(document.get("sampler")),
        steps=text(document.get("steps")),
        strength=text(document.get("strength")),
        loras=loras,
        controls=controls,
    )


def _listed(document: Mapping[str, Any], key: str) -> list[Any]:
    return items(document.get(key))[:_MAX_LISTED]
