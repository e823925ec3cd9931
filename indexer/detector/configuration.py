"""JSON configuration files beside weights: bounded in size, every value checked for its type.

The two layouts interpret the values.
"""

import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from indexer.arrays import Reals
from indexer.errors import WeightsRefusedError

MAX_BYTES: Final = 4 * 1024 * 1024
"""Largest configuration file read. Real ones have a few kilobytes; one with 1,000 class names, about 50."""

_REQUIRED: Final = object()


class Configuration:
    """One JSON object of a configuration file. `where` names it in errors, for example `config.json`."""

    def __init__(self, where: str, values: dict[str, Any]) -> None:
        self.where = where
        self._values = values

    @classmethod
    def read(cls, path: Path) -> "Configuration":
        """Reads `path`.

        Raises:
            WeightsRefusedError: the file is missing, unreadable, too large or no JSON object.
        """
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise WeightsRefusedError(
                f"{path.name} is missing in {path.parent}: it must lie beside the weights"
            ) from None
        except OSError as error:
            raise WeightsRefusedError(f"{path} cannot be read: {error.strerror}") from None
        if len(data) > MAX_BYTES:
            raise WeightsRefusedError(f"{path.name} is larger than {MAX_BYTES} bytes: not a configuration")
        try:
            values = json.loads(data)
        except (ValueError, RecursionError):
            raise WeightsRefusedError(f"{path.name} is not JSON") from None
        if not isinstance(values, dict):
            raise WeightsRefusedError(f"{path.name} must hold a JSON object, not a {type(values).__name__}")
        return cls(path.name, values)

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def section(self, key: str) -> "Configuration":
        """The JSON object under `key`; an empty one when it is absent."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, value, "an object")
        return Configuration(f"{self.where}: {key}", value)

    def raw(self, key: str) -> Any:
        """The raw value, None when absent."""
        return self._values.get(key)

    def text(self, key: str, default: Any = _REQUIRED) -> str:
        """A string."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, value, "a string")
        return value

    def flag(self, key: str, default: Any = _REQUIRED) -> bool:
        """A boolean."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def whole(self, key: str, default: Any = _REQUIRED, *, low: int = 1, high: int = 65_536) -> int:
        """A whole number within [low, high]."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(key, value, f"a whole number from {low} to {high}")
        return value

    def real(self, key: str, default: Any = _REQUIRED) -> float:
        """A finite number above zero."""
        value = self._get(key, default)
        if not _is_number(value) or value <= 0:
            raise self.wrong(key, value, "a number above 0")
        return float(value)

    def triple(self, key: str) -> tuple[float, float, float]:
        """Three finite numbers, one a colour channel."""
        value = self._get(key, _REQUIRED)
        if not isinstance(value, list) or len(value) != 3 or not all(_is_number(number) for number in value):
            raise self.wrong(key, value, "three numbers")
        red, green, blue = (float(number) for number in value)
        return red, green, blue

    def rows(self, key: str) -> Reals:
        """Rows of finite numbers, all of one length: float64 [N, M]."""
        try:
            table = np.asarray(self.raw(key), np.float64)
        except (TypeError, ValueError):
            raise self.wrong(key, self.raw(key), "rows of numbers") from None
        if table.ndim != 2 or not np.isfinite(table).all():
            raise self.wrong(key, self.raw(key), "rows of numbers")
        return table

    def wrong(self, key: str, value: Any, expected: str) -> WeightsRefusedError:
        """The error for a value we cannot use."""
        shown = json.dumps(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return WeightsRefusedError(f"{self.where}: {key} is {shown}, but must be {expected}")

    def _get(self, key: str, default: Any) -> Any:
        value = self._values.get(key)
        if value is not None:
            return value
        if default is _REQUIRED:
            raise WeightsRefusedError(f"{self.where}: {key} is missing")
        return default


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
