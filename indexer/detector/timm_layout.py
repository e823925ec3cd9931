"""Checkpoints as timm saves a vision transformer: config.json (`architecture`, `num_classes`, `model_args`,
`pretrained_cfg`) to a description, and its tensor names, with or without a prefix, to the model's."""

import math

from indexer.detector.configuration import Configuration
from indexer.detector.heads import head_of, labels_by_index
from indexer.detector.spec import IMAGE_SIZE, PATCH_SIZE, Architecture, Head, Preprocessing
from indexer.detector.weights import KeyMap
from indexer.vocabulary import EMBEDDING_SIZE

_RESAMPLE = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
_FAMILY = "vit_small_patch16_384"
_MODEL_ARGS = frozenset(
    {"img_size", "patch_size", "embed_dim", "depth", "num_heads", "mlp_ratio", "qkv_bias", "num_classes", "in_chans"}
    | {"conv_stem"}
)
_STEM_LAYERS = 12
_STEM_CHANNELS = 1_024


def read_architecture(config: Configuration) -> Architecture:
    """The shape config.json describes: `vit_small_patch16_384`, or one that differs from it by `model_args`: timm's own
    arguments, and `conv_stem` (see `Architecture`), which is ours.

    Raises:
        WeightsRefusedError: another family, an argument we do not know, or not 384 wide at 384 px with patches of 16.
    """
    name = config.text("architecture")
    if name.split(".")[0] != _FAMILY:
        raise config.wrong("architecture", name, f'"{_FAMILY}" (other depths, heads and MLP widths go in model_args)')
    if config.text("global_pool", "token") != "token":
        raise config.wrong("global_pool", config.raw("global_pool"), '"token": the CLS token is the embedding')
    args = config.section("model_args")
    for key in config.raw("model_args") or {}:
        if key not in _MODEL_ARGS:
            raise args.wrong(key, args.raw(key), f"absent: only {', '.join(sorted(_MODEL_ARGS))} are known")
    sizes = (("embed_dim", EMBEDDING_SIZE), ("img_size", IMAGE_SIZE), ("patch_size", PATCH_SIZE), ("in_chans", 3))
    for key, expected in sizes:
        if args.raw(key) not in (None, expected, [expected, expected]):
            raise args.wrong(key, args.raw(key), f"{expected}: every dejafake embedding has {EMBEDDING_SIZE} numbers")
    heads = args.whole("num_heads", 6, high=EMBEDDING_SIZE)
    if EMBEDDING_SIZE % heads:
        raise args.wrong("num_heads", heads, f"a divisor of {EMBEDDING_SIZE}")
    return Architecture(
        name=_FAMILY,
        depth=args.whole("depth", 12, high=256),
        heads=heads,
        mlp_width=int(EMBEDDING_SIZE * args.real("mlp_ratio", 4.0)),
        qkv_bias=args.flag("qkv_bias", True),
        conv_stem=_conv_stem(args),
    )


def _conv_stem(args: Configuration) -> tuple[tuple[int, int], ...]:
    """The convolutions before the 1x1 one: at most 12, of at most 1,024 channels, that shrink a side by 16 in all."""
    value = args.raw("conv_stem")
    if value is None:
        return ()
    if not isinstance(value, list) or not 0 < len(value) <= _STEM_LAYERS or not all(map(_is_stem_layer, value)):
        expected = f"1 to {_STEM_LAYERS} pairs [channels, stride], channels 1 to {_STEM_CHANNELS}, strides 1 or 2"
        raise args.wrong("conv_stem", value, expected)
    if math.prod(stride for _, stride in value) != PATCH_SIZE:
        raise args.wrong("conv_stem", value, f"a list whose strides multiply to {PATCH_SIZE}")
    return tuple((channels, stride) for channels, stride in value)


def _is_stem_layer(value: object) -> bool:
    if not isinstance(value, list) or [type(number) for number in value] != [int, int]:
        return False
    channels, stride = value
    return 1 <= channels <= _STEM_CHANNELS and stride in (1, 2)


def read_head(config: Configuration) -> Head:
    """The head config.json describes by `num_classes` and `label_names` (or `id2label`)."""
    classes = config.whole("num_classes")
    key = "label_names" if "label_names" in config else "id2label"
    labels = labels_by_index(config, key, tuple(f"class {index}" for index in range(classes)))
    if len(labels) != classes:
        raise config.wrong("num_classes", classes, f"{len(labels)}, as many as there are labels")
    return head_of(labels, config.where)


def read_preprocessing(config: Configuration) -> Preprocessing:
    """The preprocessing that `pretrained_cfg` describes: shorter side to floor(384 / crop_pct), then a centre crop, as
    timm's own evaluation transform does.

    Raises:
        WeightsRefusedError: an interpolation or crop mode we do not have, or an input that is not 3 x 384 x 384.
    """
    if "pretrained_cfg" not in config:
        raise config.wrong("pretrained_cfg", None, "an object with input_size, crop_pct, interpolation, mean and std")
    cfg = config.section("pretrained_cfg")
    if cfg.raw("input_size") != [3, IMAGE_SIZE, IMAGE_SIZE]:
        raise cfg.wrong("input_size", cfg.raw("input_size"), f"[3, {IMAGE_SIZE}, {IMAGE_SIZE}]")
    if cfg.text("crop_mode", "center") != "center":
        raise cfg.wrong("crop_mode", cfg.raw("crop_mode"), '"center"')
    interpolation = cfg.text("interpolation")
    if interpolation not in _RESAMPLE:
        raise cfg.wrong("interpolation", interpolation, "one of " + ", ".join(_RESAMPLE))
    share = cfg.real("crop_pct")
    std = cfg.triple("std")
    if share > 1 or share < 0.05:
        raise cfg.wrong("crop_pct", share, "within 0.05 and 1")
    if min(std) <= 0:
        raise cfg.wrong("std", list(std), "above 0")
    return Preprocessing(
        resize_shortest=math.floor(IMAGE_SIZE / share),
        resample=_RESAMPLE[interpolation],
        crop=IMAGE_SIZE,
        mean=cfg.triple("mean"),
        std=std,
    )


def key_map(names: list[str], prefix: str) -> KeyMap:
    """The file's name of each tensor of the model: the same, after `prefix`."""
    return {name: (prefix + name,) for name in names}
