"""ComfyUI: the graph of nodes that made a picture (`prompt`), or else the drawing of it (`workflow`).

A graph is followed from a sampler backwards: what its latent came from tells whether a picture or a mask was the
start, which a list of nodes does not, because pictures are loaded for other ends too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from indexer.provenance.findings import Generation, Lora, ProvenanceLimits
from indexer.provenance.generation.techniques import is_face_swap, is_style_reference, techniques
from indexer.provenance.untyped import file_stem, items, json_object, mapping, text
from indexer.vocabulary import Technique

_MAX_NODES = 3_000
_MAX_SAMPLERS = 8
_MAX_LORAS = 30
_LATENT = ("latent_image", "latent", "samples")
_PROMPT_KEYS = ("text", "text_g", "t5xxl", "clip_l", "prompt", "positive", "string", "value")
_MODEL_KEYS = ("ckpt_name", "unet_name", "model_name", "base_ckpt_name")
_WEIGHTS = (".safetensors", ".ckpt", ".gguf", ".sft")

_Nodes = Mapping[str, dict[str, Any]]


def read_comfyui(prompt: str | None, workflow: str | None, limits: ProvenanceLimits) -> Generation | None:
    """What the two texts say; the first is enough. None when neither is a graph of ComfyUI."""
    nodes = _nodes(json_object(prompt))
    if nodes:
        return _from_graph(nodes, limits)
    drawn = [mapping(node) for node in items(json_object(workflow).get("nodes"))[:_MAX_NODES]]
    classes = [name for node in drawn if (name := text(node.get("type"))) is not None]
    return _from_drawing(drawn, classes) if classes else None


def _nodes(graph: Mapping[str, Any]) -> _Nodes:
    nodes = {str(name): mapping(node) for name, node in list(graph.items())[:_MAX_NODES]}
    return {name: node for name, node in nodes.items() if isinstance(node.get("class_type"), str)}


def _from_graph(nodes: _Nodes, limits: ProvenanceLimits) -> Generation:
    samplers = [name for name, node in nodes.items() if _samples(node)][:_MAX_SAMPLERS]
    main = max(samplers, key=lambda name: _begins(nodes, name), default=None)
    inputs = {} if main is None else _inputs(nodes[main])
    loras = tuple(_loras(nodes))[:_MAX_LORAS]
    classes = [node["class_type"] for node in nodes.values()]
    positive = inputs.get("positive", inputs.get("guider", inputs.get("conditioning")))
    return Generation(
        tool="ComfyUI",
        techniques=_techniques(nodes, samplers, classes, lora=bool(loras)),
        prompt=text(_first(nodes, positive, _PROMPT_KEYS), limits.max_text_length),
        negative_prompt=text(_first(nodes, inputs.get("negative"), _PROMPT_KEYS), limits.max_text_length),
        model=file_stem(_first(nodes, inputs.get("model", inputs.get("guider")), _MODEL_KEYS) or _any_model(nodes)),
        seed=text(_value(nodes, inputs, ("seed", "noise_seed", "noise"))),
        sampler=text(_value(nodes, inputs, ("sampler_name", "sampler"))),
        steps=text(_value(nodes, inputs, ("steps", "sigmas"))),
        strength=text(inputs.get("denoise")),
        loras=loras,
        controls=tuple(_controls(nodes))[:10],
    )


def _inputs(node: Mapping[str, Any]) -> dict[str, Any]:
    return mapping(node.get("inputs"))


def _samples(node: Mapping[str, Any]) -> bool:
    inputs = _inputs(node)
    return any(isinstance(inputs.get(name), list) for name in _LATENT) and (
        {"steps", "sampler_name", "sampler", "seed", "noise_seed", "noise"} & set(inputs) != set()
    )


def _begins(nodes: _Nodes, sampler: str) -> bool:
    """Whether no other sampler comes before this one."""
    return not any(_samples(nodes[name]) for name in _before_latent(nodes, sampler))


def _linked(value: object) -> str | None:
    """The node a link, written as [node, output], comes from."""
    target = value[0] if isinstance(value, list) and len(value) == 2 else None
    return str(target) if isinstance(target, (str, int)) else None


def _upstream(nodes: _Nodes, start: list[object]) -> Iterator[str]:
    """All nodes that links lead back to, nearest first. Behind a sampler only its latent is followed."""
    seen: set[str] = set()
    waiting = [name for value in start if (name := _linked(value)) is not None]
    while waiting:
        following: list[str] = []
        for name in waiting:
            if name in seen or name not in nodes:
                continue
            seen.add(name)
            yield name
            inputs = _inputs(nodes[name])
            links = [inputs.get(key) for key in _LATENT] if _samples(nodes[name]) else list(inputs.values())
            following += [other for value in links if (other := _linked(value)) is not None]
        waiting = following


def _before_latent(nodes: _Nodes, sampler: str) -> Iterator[str]:
    inputs = _inputs(nodes[sampler])
    return _upstream(nodes, [inputs.get(name) for name in _LATENT])


def _techniques(nodes: _Nodes, samplers: list[str], classes: list[str], *, lora: bool) -> tuple[Technique, ...]:
    before = {name for sampler in samplers for name in _before_latent(nodes, sampler)}
    began = [nodes[name]["class_type"].lower() for name in before]
    swapped = any(is_face_swap(name) for name in classes)
    source = any("loadimage" in name.replace(" ", "") or name == "referencelatent" for name in began)
    mask = source and any("inpaint" in name or name == "setlatentnoisemask" for name in began)
    style = any(is_style_reference(name) for name in (*_steering_classes(classes), *_controls(nodes)))
    if not samplers and not swapped:
        return ()
    edited = any(name.lower() == "referencelatent" for name in classes)
    return techniques(source_picture=source or edited, mask=mask, style=style, face_swap=swapped, lora=lora)


def _steering_classes(classes: list[str]) -> list[str]:
    """Names of nodes that apply a style; loaders and prompt "styles" of words do not."""
    prefixes = ("ipadapter", "stylemodelapply", "unclipconditioning", "redux")
    return [name for name in classes if any(word in name.lower() for word in prefixes) and "loader" not in name.lower()]


def _controls(nodes: _Nodes) -> Iterator[str]:
    for node in nodes.values():
        name = text(_inputs(node).get("control_net_name")) or text(_inputs(node).get("ipadapter_file"))
        if name is not None:
            yield name


def _loras(nodes: _Nodes) -> Iterator[Lora]:
    for node in nodes.values():
        if "lora" not in node["class_type"].lower():
            continue
        inputs = _inputs(node)
        for key, value in list(inputs.items())[:100]:
            row = mapping(value)  # "Power Lora Loader" keeps one object a LoRA
            name = file_stem(row.get("lora") if row else value if key.startswith("lora_name") else None)
            if name is not None and name != "None" and row.get("on", True) is not False:
                yield Lora(name, weight=text(row.get("strength") if row else inputs.get("strength_model")))


def _first(nodes: _Nodes, link: object, keys: tuple[str, ...]) -> object:
    """The first text under one of `keys` on the way back from a link."""
    for name in _upstream(nodes, [link]):
        inputs = _inputs(nodes[name])
        for key in keys:
            if isinstance(inputs.get(key), str) and inputs[key].strip():
                return inputs[key]
    return None


def _value(nodes: _Nodes, inputs: Mapping[str, Any], keys: tuple[str, ...]) -> object:
    """A sampler's setting, written in it or in the node it is linked to."""
    for key in keys:
        value = inputs.get(key)
        linked = nodes.get(_linked(value) or "")
        if linked is not None:
            near = _inputs(linked)
            value = next(
                (near[name] for name in (*keys, "value", "int") if not isinstance(near.get(name), list | None)), None
            )
        if value is not None and not isinstance(value, (list, dict)):
            return value
    return None


def _any_model(nodes: _Nodes) -> object:
    models = (_inputs(node).get(key) for node in nodes.values() for key in _MODEL_KEYS[:2])
    return next((value for value in models if isinstance(value, str)), None)


def _from_drawing(drawn: list[dict[str, Any]], classes: list[str]) -> Generation:
    """A drawing names nodes and their values. Its links are not followed, so no technique is derived."""
    weights = [
        (text(node.get("type")) or "", value)
        for node in drawn
        for value in items(node.get("widgets_values"))[:50]
        if isinstance(value, str) and value.lower().endswith(_WEIGHTS)
    ]
    loras = tuple(Lora(name) for kind, value in weights if "lora" in kind.lower() and (name := file_stem(value)))
    models = [value for kind, value in weights if "checkpoint" in kind.lower() or "unet" in kind.lower()]
    return Generation(
        tool="ComfyUI",
        techniques=(Technique.FACE_SWAP,) if any(is_face_swap(name) for name in classes) else (),
        model=file_stem(models[0]) if models else None,
        loras=loras[:_MAX_LORAS],
    )
