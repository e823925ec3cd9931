"""Checkpoints as Hugging Face Transformers saves a `ViTForImageClassification`: config.json and
preprocessor_config.json to a description, and its tensor names to the model's."""

from typing import Any

from indexer.detector.configuration import Configuration
from indexer.detector.heads import head_of, labels_by_index
from indexer.detector.spec import IMAGE_SIZE, PATCH_SIZE, Architecture, Head, Preprocessing
from indexer.detector.weights import KeyMap
from indexer.errors import WeightsRefusedError
from indexer.vocabulary import EMBEDDING_SIZE

_SQUARING_PROCESSORS = frozenset({"ViTImageProcessor", "ViTFeatureExtractor", "ViTImageProcessorFast"})
_DEFAULT_LABELS = ("LABEL_0", "LABEL_1")


def read_architecture(config: Configuration) -> Architecture:
    """The shape config.json describes.

    Raises:
        WeightsRefusedError: it is no image classifier of the ViT family, or not 384 wide at 384 px with patches of 16.
    """
    if config.raw("model_type") != "vit":
        raise config.wrong("model_type", config.raw("model_type"), '"vit"')
    for key, expected in (("hidden_size", EMBEDDING_SIZE), ("image_size", IMAGE_SIZE), ("patch_size", PATCH_SIZE)):
        if config.raw(key) not in (expected, [expected, expected]):
            raise config.wrong(
                key, config.raw(key), f"{expected}: every dejafake embedding has {EMBEDDING_SIZE} numbers"
            )
    if config.text("hidden_act", "gelu") != "gelu":
        raise config.wrong("hidden_act", config.raw("hidden_act"), '"gelu"')
    if config.whole("num_channels", 3) != 3:
        raise config.wrong("num_channels", config.raw("num_channels"), "3")
    heads = config.whole("num_attention_heads", high=EMBEDDING_SIZE)
    if EMBEDDING_SIZE % heads:
        raise config.wrong("num_attention_heads", heads, f"a divisor of {EMBEDDING_SIZE}")
    architecture = Architecture(
        name="vit",
        depth=config.whole("num_hidden_layers", high=256),
        heads=heads,
        mlp_width=config.whole("intermediate_size"),
        layer_norm_eps=config.real("layer_norm_eps", 1e-12),
        qkv_bias=config.flag("qkv_bias", True),
    )
    small = Architecture("vit_small_patch16_384", 12, 6, 1536, architecture.layer_norm_eps)
    return small if _same_shape(architecture, small) else architecture


def read_head(config: Configuration) -> Head:
    """The head config.json describes; without `id2label` Transformers means two classes without a name."""
    return head_of(labels_by_index(config, "id2label", _DEFAULT_LABELS), config.where)


def read_preprocessing(config: Configuration) -> Preprocessing:
    """The preprocessing that preprocessor_config.json describes, of a ViT or CLIP-like image processor.

    Raises:
        WeightsRefusedError: it asks for a step we do not have, or does not end at 384 x 384.
    """
    if not config.flag("do_resize", True):
        raise config.wrong("do_resize", False, "true")
    if config.flag("do_pad", False):
        raise config.wrong("do_pad", True, "false: no detector of this family pads")
    size, crop = _size(config), IMAGE_SIZE
    if config.flag("do_center_crop", False):
        crop = _square(config, "crop_size", config.raw("crop_size"))
    if crop != IMAGE_SIZE:
        raise config.wrong("crop_size", config.raw("crop_size"), f"{IMAGE_SIZE}, the side of the model's input")
    shortest = size if isinstance(size, int) else None
    if shortest is None and size != (crop, crop):
        raise config.wrong(
            "size", config.raw("size"), f"{IMAGE_SIZE} x {IMAGE_SIZE}, or a shortest_edge and a centre crop"
        )
    if shortest is not None and (shortest < crop or not config.flag("do_center_crop", False)):
        raise config.wrong("size", config.raw("size"), f"at least {crop} and be followed by a centre crop")
    normalise = config.flag("do_normalize", True)
    return Preprocessing(
        resize_shortest=shortest,
        resample=config.whole("resample", low=0, high=5),
        crop=crop,
        mean=config.triple("image_mean") if normalise else (0.0, 0.0, 0.0),
        std=_positive(config) if normalise else (1.0, 1.0, 1.0),
        rescale=config.real("rescale_factor", 1 / 255) if config.flag("do_rescale", True) else 1.0,
    )


def key_map(architecture: Architecture) -> KeyMap:
    """Transformers' names for each tensor of the model; query, key and value are fused, in that order."""
    keys: dict[str, tuple[str, ...]] = {
        "cls_token": ("vit.embeddings.cls_token",),
        "pos_embed": ("vit.embeddings.position_embeddings",),
    }
    pairs = {"patch_embed.proj": "vit.embeddings.patch_embeddings.projection", "norm": "vit.layernorm"}
    pairs["head"] = "classifier"
    for index in range(architecture.depth):
        ours, theirs = f"blocks.{index}.", f"vit.encoder.layer.{index}."
        pairs |= {
            ours + "norm1": theirs + "layernorm_before",
            ours + "attn.proj": theirs + "attention.output.dense",
            ours + "norm2": theirs + "layernorm_after",
            ours + "mlp.fc1": theirs + "intermediate.dense",
            ours + "mlp.fc2": theirs + "output.dense",
        }
        for kind in ("weight", "bias") if architecture.qkv_bias else ("weight",):
            parts = ("query", "key", "value")
            keys[f"{ours}attn.qkv.{kind}"] = tuple(f"{theirs}attention.attention.{part}.{kind}" for part in parts)
    for name, source in pairs.items():
        keys |= {f"{name}.weight": (f"{source}.weight",), f"{name}.bias": (f"{source}.bias",)}
    return keys


def _same_shape(architecture: Architecture, other: Architecture) -> bool:
    return (architecture.depth, architecture.heads, architecture.mlp_width, architecture.qkv_bias) == (
        other.depth,
        other.heads,
        other.mlp_width,
        other.qkv_bias,
    )


def _size(config: Configuration) -> int | tuple[int, int]:
    """A number: length of the shorter side. A pair: height and width, proportions not kept."""
    value = config.raw("size")
    if isinstance(value, int):  # before Transformers 4.26; a ViT processor squeezes, the others keep proportions
        name = config.raw("image_processor_type") or config.raw("feature_extractor_type")
        return (value, value) if name in _SQUARING_PROCESSORS else config.whole("size")
    section = config.section("size")
    if "shortest_edge" in section and "longest_edge" not in section:
        return section.whole("shortest_edge")
    return section.whole("height"), section.whole("width")


def _square(config: Configuration, key: str, value: Any) -> int:
    if isinstance(value, int):
        return config.whole(key)
    section = config.section(key)
    height, width = section.whole("height"), section.whole("width")
    if height != width:
        raise config.wrong(key, value, "a square")
    return height


def _positive(config: Configuration) -> tuple[float, float, float]:
    std = config.triple("image_std")
    if min(std) <= 0:
        raise WeightsRefusedError(f"{config.where}: image_std must be above 0")
    return std
