"""Reads values from untrusted text and JSON: bounded and of the expected type, or nothing."""

import json
import math
import re
from typing import Any

from indexer.provenance.findings import NAME_LENGTH

_VERSION = re.compile(r"(?<=\S)[\s/]+(?:\(|v?\d).*$", re.DOTALL)


def text(value: object, limit: int = NAME_LENGTH) -> str | None:
    """A string or number as cleaned text of at most `limit` characters; None for anything else, and for nothing."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, float):
        value = str(int(value)) if math.isfinite(value) and value.is_integer() else repr(value)
    written = value if isinstance(value, str) else str(value)
    cleaned = written[: 4 * limit].replace("\0", "\ufffd").encode("utf-8", "replace").decode().strip()
    return (cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…") or None


def mapping(value: object) -> dict[str, Any]:
    """A JSON object, empty for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """A JSON array, empty for anything else."""
    return value if isinstance(value, list) else []


def json_object(written: str | None) -> dict[str, Any]:
    """The JSON object a text holds, empty for anything else, however broken."""
    try:
        return mapping(json.loads(written or ""))
    except (ValueError, RecursionError):
        return {}


def number(value: object) -> float | None:
    """A finite number, written as one or as text."""
    try:
        parsed = float(value) if isinstance(value, (str, int, float)) else math.nan
    except (ValueError, OverflowError):
        return None
    return parsed if math.isfinite(parsed) else None


def hash_text(value: object) -> str | None:
    """The hash of a model as it is searched for: lower case, without the `0x` that SwarmUI writes."""
    digits = text(value)
    return None if digits is None else digits.lower().removeprefix("0x") or None


def file_stem(value: object) -> str | None:
    """The name of a model without its folder and without the ending of its file."""
    path = text(value)
    if path is None:
        return None
    name = re.split(r"[\\/]", path)[-1]
    return re.sub(r"\.(safetensors|ckpt|pt|pth|bin|gguf|sft)$", "", name, flags=re.IGNORECASE) or None


def product(software: str) -> str:
    """The name of a program without its version: what stands before the first number or bracket."""
    return _VERSION.sub("", software).strip() or software
