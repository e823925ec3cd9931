"""Converts words and numbers in manifests, folder names and cells into dejafake's values."""

import json
import math
import re
from datetime import date
from urllib.parse import urlsplit

from indexer.sources.label_words import LabelWords, StatedWord
from indexer.vocabulary import LabelValue, Technique

MAX_CELL = 65_536
"""Longest text a cell may hold, in characters."""
MAX_ADDRESS = 20_000
"""Longest web address, in characters."""

_FOLDER_LABELS = frozenset({"fake", "1_fake", "real", "0_real", "authentic"})
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "images", "data"})

_SHA256 = re.compile(r"[0-9a-f]{64}")


def as_technique(text: str) -> Technique:
    """The technique a word stands for; case, blanks and hyphens do not matter.

    Raises:
        ValueError: not a word of the vocabulary.
    """
    word = re.sub(r"[\s_-]+", "", text.casefold())
    technique = next((candidate for candidate in Technique if candidate.value.replace("_", "") == word), None)
    if technique is None:
        raise ValueError(f"is not a technique; use one of {', '.join(Technique)}")
    return technique


def as_sha256(text: str) -> str:
    """A SHA-256 in lower case.

    Raises:
        ValueError: not 64 hex digits.
    """
    digest = text.lower()
    if not _SHA256.fullmatch(digest):
        raise ValueError("is not a SHA-256; it needs 64 digits of 0-9 and a-f")
    return digest


def as_url(text: str) -> str:
    """An absolute http or https address.

    Raises:
        ValueError: anything else, such as `javascript:`; longer than `MAX_ADDRESS`.
    """
    if len(text) > MAX_ADDRESS:
        raise ValueError(f"is longer than the {MAX_ADDRESS:,} characters an address may have")
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("is not a web address; it must start with http:// or https://")
    return text


def as_text(value: object) -> str | None:
    """The text of any value of a JSON or Parquet cell, stripped; None for what is empty, null or not a number."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        text = str(int(value))
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, (list, dict)):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8").strip() or None


def folder_label(parts: tuple[str, ...], words: LabelWords) -> tuple[StatedWord | None, str | None]:
    """What a path says by its folders: `{generator}/{real|fake}/…`, or without a generator.

    Args:
        parts: the folders between the source and the file, outermost first.
        words: what names of folders mean beside these.

    Returns:
        The word of the innermost folder named real, fake, authentic, 0_real or 1_fake (in any case) or as whoever
        reads the source said, and for a fake the folder around it as the generator; folders like `train` or `test`
        between the two do not count.
    """
    for index in range(len(parts) - 1, -1, -1):
        if not (parts[index].lower() in _FOLDER_LABELS or words.says(parts[index])):
            continue
        word = words.read(parts[index])
        around = [part for part in parts[:index] if part.lower() not in _SPLITS]
        return word, around[-1] if around and word.value is LabelValue.FAKE else None
    return None, None
