"""The JSON beside a copy descriptor's weights, read with suspicion. What it may say: docs/copy-descriptors.md."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from indexer.copies.descriptor.spec import BackgroundSpec, DescriptorSpec, OnnxInput
from indexer.detector.configuration import Configuration
from indexer.detector.spec import Preprocessing

CONFIG_FILE: Final = "config.json"
RESAMPLES: Final = {"bilinear": 2, "bicubic": 3, "lanczos": 1, "box": 4, "hamming": 5}
"""Interpolations by name, and Pillow's numbers for them."""
_LAYOUTS: Final[Mapping[str, Literal["nchw", "nhwc"]]] = {"nchw": "nchw", "nhwc": "nhwc"}
_TYPES: Final[Mapping[str, Literal["float32", "uint8"]]] = {"float32": "float32", "uint8": "uint8"}
_SIZE = (32, 1_024)
_DIMENSION = (8, 4_096)
_ARCHITECTURE_LENGTH = 10_000
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Description:
    """What a configuration says, before the weights are known."""

    config: Configuration

    @classmethod
    def read(cls, path: Path) -> "Description":
        """Reads `path`.

        Raises:
            WeightsRefusedError: it is missing, too large or no JSON object.
        """
        return cls(Configuration.read(path))

    @property
    def is_onnx(self) -> bool:
        """Whether the weights are an ONNX model."""
        return "onnx" in self.config

    def spec(self, byte_size: int, name: str | None = None) -> DescriptorSpec:
        """The spec of weights of `byte_size` bytes that this describes; `name` instead of its own.

        Raises:
            WeightsRefusedError: a value is missing or cannot be used; the message names it.
        """
        config = self.config
        onnx = _onnx(config.section("onnx")) if self.is_onnx else None
        likely = config.section("likely_copy")
        return DescriptorSpec(
            name=name or config.text("name"),
            summary=config.text("summary", "Weights of a local folder."),
            sha256=_digest(config, "weights_sha256") if "weights_sha256" in config else None,
            byte_size=byte_size,
            architecture={} if onnx else _architecture(config),
            onnx=onnx,
            dimension=config.whole("dimension", low=_DIMENSION[0], high=_DIMENSION[1]),
            preprocessing=_preprocessing(config.section("preprocessing"), onnx),
            licence=config.text("licence", "not stated"),
            trained=config.flag("trained", True),
            limits=_limits(config),
            background=_background(config.section("background")) if "background" in config else None,
            likely_copy_min_score=_share(likely, "min_score", 2.0) if "likely_copy" in config else None,
            likely_copy_false_match_rate=_share(likely, "false_match_rate", 1.0) if "likely_copy" in config else None,
            likely_copy_strangers=likely.whole("strangers", high=10**9) if "likely_copy" in config else None,
        )


def _architecture(config: Configuration) -> dict[str, Any]:
    """The network's own description. What its values mean is checked when it is built."""
    if "architecture" not in config:
        raise config.wrong("architecture", None, 'an object that describes the network, or "onnx" for an ONNX model')
    config.section("architecture").text("name")
    value: dict[str, Any] = config.raw("architecture")
    try:
        length = len(json.dumps(value, allow_nan=False))
    except (ValueError, RecursionError):
        raise config.wrong("architecture", "…", "an object of finite numbers and names") from None
    if length > _ARCHITECTURE_LENGTH:
        raise config.wrong("architecture", "…", f"at most {_ARCHITECTURE_LENGTH} characters long")
    return value


def _onnx(onnx: Configuration) -> OnnxInput:
    layout, kind = onnx.text("layout", "nchw"), onnx.text("type", "float32")
    if layout not in _LAYOUTS:
        raise onnx.wrong("layout", layout, '"nchw" or "nhwc"')
    if kind not in _TYPES:
        raise onnx.wrong("type", kind, '"float32" or "uint8"')
    return OnnxInput(_LAYOUTS[layout], _TYPES[kind])


def _preprocessing(section: Configuration, onnx: OnnxInput | None) -> Preprocessing:
    """`size`: side of the square that the network sees. `resize`: `squeeze` to it, or `crop` its middle after the
    shorter side was resized to `resize_shortest`. Bytes go into a network of bytes as they are."""
    size = section.whole("size", low=_SIZE[0], high=_SIZE[1])
    how = section.text("resize", "squeeze")
    if how not in ("squeeze", "crop"):
        raise section.wrong("resize", how, '"squeeze" or "crop"')
    interpolation = section.text("interpolation", "bicubic")
    if interpolation not in RESAMPLES:
        raise section.wrong("interpolation", interpolation, "one of " + ", ".join(RESAMPLES))
    shortest = section.whole("resize_shortest", size, low=size, high=4 * size) if how == "crop" else None
    if onnx is not None and onnx.type == "uint8":
        return Preprocessing(shortest, RESAMPLES[interpolation], size, (0, 0, 0), (1, 1, 1), rescale=1.0)
    std = section.triple("std")
    if min(std) <= 0:
        raise section.wrong("std", list(std), "above 0")
    return Preprocessing(shortest, RESAMPLES[interpolation], size, section.triple("mean"), std)


def _background(section: Configuration) -> BackgroundSpec:
    return BackgroundSpec(_digest(section, "sha256"), section.whole("nearest", 5, high=1_000))


def _limits(config: Configuration) -> tuple[str, ...]:
    value = config.raw("limits") or []
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise config.wrong("limits", value, "a list of sentences")
    return tuple(value)


def _share(section: Configuration, key: str, most: float) -> float:
    value = section.real(key)
    if value > most:
        raise section.wrong(key, value, f"at most {most:g}")
    return value


def _digest(section: Configuration, key: str) -> str:
    value = section.text(key)
    if not _HEX.fullmatch(value):
        raise section.wrong(key, value, "a SHA-256, 64 hex digits")
    return value
