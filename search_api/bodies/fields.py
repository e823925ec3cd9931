"""What clients send over HTTP: queries, forms and JSON bodies. Unknown fields are refused."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

from fastapi import Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    model_validator,
)

from indexer.catalog.cursors import PAGE_LIMIT_MAX
from indexer.catalog.records.filters import FILTER_FIELDS, FILTER_TYPES, REPEATED, SHARED_FIELDS, ImageFilter
from indexer.sources.times import no_number
from indexer.vocabulary import LabelValue

NAME_MAX = 200
TEXT_MAX = 10_000
CURSOR_MAX = 2_000


def _utc(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is out of range") from None


Utc = Annotated[datetime, BeforeValidator(no_number), AfterValidator(_utc)]
"""A moment as ISO 8601; without a time zone it is taken as UTC. A bare number could count anything and is refused."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
Pdq = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_MAX, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(max_length=TEXT_MAX)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=TEXT_MAX)]
"""An address on the web. It is recorded, never fetched."""
Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT_MAX, description="Most items on a page.")]
Cursor = Annotated[str | None, Query(max_length=CURSOR_MAX, description="`next_cursor` of the previous page.")]
Cosine = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class Body(BaseModel):
    """Base of what clients send: unknown fields are refused, so that a misspelt condition never widens a search."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _declared(name: str) -> tuple[Any, Any]:
    """A field of a filter as a field of a body: its type within limits, its default, its words."""
    kind, field = FILTER_TYPES[name], FILTER_FIELDS[name]
    within: Any = {str: Name, datetime: Utc}.get(kind, kind)
    if name in REPEATED:
        return tuple[within, ...], Field(default=(), max_length=50, description=field.help)
    return within | None, Field(default=None, description=field.help)


if TYPE_CHECKING:
    _Declared = Body
else:
    _Declared = create_model("_Declared", __base__=Body, **{name: _declared(name) for name in SHARED_FIELDS})


class Conditions(_Declared):
    """Conditions on images; all given ones must hold. They are the fields of the catalogue's filter but for the label,
    which each body declares with a default of its own."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        conditions = self.image_filter(None)
        if conditions.posted_from and conditions.posted_to and conditions.posted_from >= conditions.posted_to:
            raise ValueError("posted_from must be before posted_to")
        return self

    def image_filter(self, label: LabelValue | None) -> ImageFilter:
        """These conditions and a label as the catalogue's filter."""
        return ImageFilter(label=label, **{name: getattr(self, name) for name in SHARED_FIELDS})
