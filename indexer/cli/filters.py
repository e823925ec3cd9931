"""The filter options that `search`, `export` and other commands share, and what they become.

They are made from the declaration of the fields of a filter.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import click

from indexer.catalog.records.filters import (
    FIELDS_OF_NEW_IMAGES,
    FILTER_FIELDS,
    FILTER_TYPES,
    REPEATED,
    SHARED_FIELDS,
    ImageFilter,
)
from indexer.vocabulary import LabelValue

F = TypeVar("F", bound=Callable[..., Any])


def filter_options(command: F) -> F:
    """Adds the filter options to a command; they arrive as keyword arguments for `image_filter`."""
    return _with_options(command, SHARED_FIELDS)


def filter_options_of_new_images(command: F) -> F:
    """Adds those that an image can meet when it is added."""
    return _with_options(command, FIELDS_OF_NEW_IMAGES)


def image_filter(label: str | None, **conditions: Any) -> ImageFilter:
    """The filter that the options describe."""
    values = {name: _value(name, given) for name, given in conditions.items() if given is not None}
    return ImageFilter(label=None if label in (None, "any") else LabelValue(label), **values)


def _with_options(command: F, names: Sequence[str]) -> F:
    for name in reversed(names):
        command = _option(name)(command)
    return command


def _option(name: str) -> Callable[[F], F]:
    field, kind = FILTER_FIELDS[name], FILTER_TYPES[name]
    option = field.option or f"--{name.replace('_', '-')}"
    if name in REPEATED:
        return click.option(option, name, multiple=True, help=f"{field.help} May be repeated.")
    if issubclass(kind, StrEnum):
        offered = [value.value for value in kind if value not in field.not_offered]
        return click.option(option, name, type=click.Choice(offered), help=field.help)
    if kind is bool:
        return click.option(f"{option}/--not-{option[2:]}", name, default=None, help=field.help)
    if issubclass(kind, datetime):
        return click.option(option, name, type=click.DateTime(), help=f"{field.help} In UTC.")
    return click.option(option, name, help=field.help)


def _value(name: str, given: Any) -> Any:
    kind = FILTER_TYPES[name]
    if issubclass(kind, StrEnum):
        return kind(given)
    return given.replace(tzinfo=UTC) if isinstance(given, datetime) else given
