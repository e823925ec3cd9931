"""The filter options that `search`, `export` and other commands share, and what they become."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from indexer.catalog.records import ImageFilter
from indexer.vocabulary import LabelValue, Technique

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--technique", type=click.Choice([t.value for t in Technique]), help="Only fakes made this way, by their label."
    ),
    click.option("--generator", help="Only fakes made by this generator."),
    click.option("--platform", help="Only images sighted on this platform."),
    click.option("--collection", "collections", multiple=True, help="Only images of this collection; may be repeated."),
    click.option("--from", "posted_from", type=click.DateTime(), help="Only images posted at this UTC time or later."),
    click.option("--to", "posted_to", type=click.DateTime(), help="Only images posted before this UTC time."),
    click.option("--model-hash", help="Only images whose file names this hash of a generator's model."),
    click.option("--made-with", help="Only images whose file names this program, camera or generator."),
    click.option("--digital-source-type", help="Only images whose file declares this IPTC code."),
    click.option(
        "--declared-technique",
        type=click.Choice([t.value for t in Technique if t is not Technique.UNKNOWN]),
        help="Only images whose file says it was made this way, whatever their label says.",
    ),
)


def filter_options(command: F) -> F:
    """Adds the filter options to a command; they arrive as keyword arguments for `image_filter`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def image_filter(
    label: str | None,
    *,
    technique: str | None,
    generator: str | None,
    platform: str | None,
    collections: tuple[str, ...],
    posted_from: datetime | None,
    posted_to: datetime | None,
    model_hash: str | None,
    made_with: str | None,
    digital_source_type: str | None,
    declared_technique: str | None,
) -> ImageFilter:
    """The filter that the options describe."""
    return ImageFilter(
        label=None if label in (None, "any") else LabelValue(label),
        technique=None if technique is None else Technique(technique),
        generator=generator,
        platform=platform,
        collections=collections,
        posted_from=None if posted_from is None else posted_from.replace(tzinfo=UTC),
        posted_to=None if posted_to is None else posted_to.replace(tzinfo=UTC),
        model_hash=model_hash,
        made_with=made_with,
        digital_source_type=digital_source_type,
        declared_technique=None if declared_technique is None else Technique(declared_technique),
    )
