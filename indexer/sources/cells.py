"""The words and numbers that stand in manifests, folder names and cells, turned into dejafake's own."""

import json
import math
import re
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from indexer.vocabulary import LabelValue, Technique

MAX_CELL = 65_536
"""Longest text a cell may hold, in characters."""

_LABELS = {
    **dict.fromkeys(("fake", "1", "1_fake", "deepfake", "synthetic", "generated", "manipulated"), LabelValue.FAKE),
    **dict.fromkeys(("authentic", "0", "real", "0_real", "genuine", "original"), LabelValue.AUTHENTIC),
    "unknown": LabelValue.UNKNOWN,
}
_FOLDER_LABELS = {"fake": LabelValue.FAKE, "1_fake": LabelValue.FAKE}
_FOLDER_LABELS |= dict.fromkeys(("real", "0_real", "authentic"), LabelValue.AUTHENTIC)
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "images", "data"})

_SHA256 = re.compile(r"[0-9a-f]{64}")


def as_label(text: str) -> LabelValue:
    """The label a word stands for, in any case.

    fake, deepfake, synthetic, generated, manipulated, 1, 1_fake -> fake; authentic, real, genuine, original, 0,
    0_real -> authentic; unknown -> unknown. `true` and `false` are refused: people use them for either.

    Raises:
        ValueError: another word.
    """
    value = _LABELS.get(text.lower())
    if value is None:
        raise ValueError("is not a label; use fake, authentic (or real) or unknown")
    return value


def as_technique(text: str) -> Technique:
    """The technique a word stands for; case, blanks and hyphens do not matter.

    Raises:
        ValueError: not a word of the vocabulary.
    """
    word = re.sub(r"[\s-]+", "_", text.lower())
    if word not in set(Technique):
        raise ValueError(f"is not a technique; use one of {', '.join(Technique)}")
    return Technique(word)


def as_time(text: str) -> datetime:
    """An ISO 8601 date or time as UTC; one without an offset is taken to be UTC, a date is its first moment.

    Raises:
        ValueError: not such a date, or outside the years 1 to 9999.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not an ISO 8601 date; write it like 2026-11-21 or 2026-11-21T14:30:00+01:00") from None


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
        ValueError: anything else, such as `javascript:`.
    """
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


def folder_label(parts: tuple[str, ...]) -> tuple[LabelValue | None, str | None]:
    """What a path says by its folders: `{generator}/{real|fake}/…`, or without a generator.

    Args:
        parts: the folders between the source and the file, outermost first.

    Returns:
        The label of the innermost folder named real, fake, authentic, 0_real or 1_fake (in any case), and for a fake
        the folder around it as the generator; folders like `train` or `test` between the two do not count.
    """
    for index in range(len(parts) - 1, -1, -1):
        value = _FOLDER_LABELS.get(parts[index].lower())
        if value is None:
            continue
        around = [part for part in parts[:index] if part.lower() not in _SPLITS]
        return value, around[-1] if around and value is LabelValue.FAKE else None
    return None, None
