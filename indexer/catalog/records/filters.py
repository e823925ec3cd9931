"""The fields of a filter on images, declared once: type, words for users, and the column that is compared.

SQL conditions, SQLite's streams, request fields, command line options and their docs are made from this declaration.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from indexer.vocabulary import CredentialState, LabelValue, MemberState, Technique


class Comparison(StrEnum):
    """How a column is compared with what is given."""

    EQUAL = "="
    AT_LEAST = ">="
    BEFORE = "<"


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field of a filter. A table other than `image` names its image in `image_id`; `collection` has its own table for
    that.

    Attributes:
        column: the table and its column, "provenance.made_with_folded".
        help: what users read about it.
        comparison: how the column is compared with the value.
        folded: the column is kept without case, so the value is compared without case.
        option: its name on the command line, where that is not the field's own.
        not_offered: values that no image has there; the command line does not offer them.
        later: no image has it yet when it is added, so a watch, which asks then, cannot.
    """

    column: str
    help: str
    comparison: Comparison = Comparison.EQUAL
    folded: bool = False
    option: str | None = None
    not_offered: tuple[StrEnum, ...] = ()
    later: bool = False

    @property
    def table(self) -> str:
        """The table whose column is compared."""
        return self.column.partition(".")[0]

    @property
    def column_name(self) -> str:
        """The column, without its table."""
        return self.column.partition(".")[2]


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Conditions on images; all given ones must hold. `platform`, `account` and the dates are about sightings: one
    sighting must meet them together. `posted_from` is inclusive, `posted_to` exclusive, both UTC. `collections`: in any
    of them. `model_hash` and `made_with`, whose case does not matter, `digital_source_type`, `declared_technique` and
    `c2pa_state` are about what the file says of itself; each may be met by another finding. `technique` is that of the
    label. `least_content`, which users are not offered: with at least so much in it; where that was not measured, the
    quality of the PDQ hash says it."""

    label: Annotated[
        LabelValue | None,
        FilterField("image.label", "Only images with this current label."),
    ] = None
    technique: Annotated[
        Technique | None,
        FilterField("image.technique", "Only images made this way, by their label."),
    ] = None
    generator: Annotated[
        str | None,
        FilterField("image.generator", "Only images made by this program or model."),
    ] = None
    platform: Annotated[
        str | None,
        FilterField("sighting.platform", "Only images sighted on this platform."),
    ] = None
    collections: Annotated[
        tuple[str, ...],
        FilterField("collection.name", "Only images in one of these.", option="--collection"),
    ] = ()
    posted_from: Annotated[
        datetime | None,
        FilterField(
            "sighting.posted_at",
            "Only images sighted at this time or later.",
            comparison=Comparison.AT_LEAST,
            option="--from",
        ),
    ] = None
    posted_to: Annotated[
        datetime | None,
        FilterField(
            "sighting.posted_at", "Only images sighted before this time.", comparison=Comparison.BEFORE, option="--to"
        ),
    ] = None
    model_hash: Annotated[
        str | None,
        FilterField("provenance.model_hash", "Only images whose file names this hash of a model.", folded=True),
    ] = None
    made_with: Annotated[
        str | None,
        FilterField(
            "provenance.made_with_folded",
            "Only images whose file names this program, camera or generator, without a version.",
            folded=True,
        ),
    ] = None
    digital_source_type: Annotated[
        str | None,
        FilterField(
            "provenance.digital_source_type",
            "Only images whose file declares this IPTC code, such as trainedAlgorithmicMedia.",
        ),
    ] = None
    declared_technique: Annotated[
        Technique | None,
        FilterField(
            "declared_technique.technique",
            "Only images whose file says it was made this way, whatever their label says.",
            not_offered=(Technique.UNKNOWN,),
        ),
    ] = None
    account: Annotated[
        str | None,
        FilterField("sighting.account", "Only images sighted from this account."),
    ] = None
    campaign: Annotated[
        str | None,
        FilterField("campaign_member.campaign_id", "Only images of the campaign with this id.", later=True),
    ] = None
    membership: Annotated[
        MemberState | None,
        FilterField(
            "campaign_member.state",
            "Only images that a clustering put into a campaign and nobody has decided on yet (`suggested`), or that a "
            "person confirmed there.",
            later=True,
        ),
    ] = None
    label_source: Annotated[
        str | None,
        FilterField("image.label_source", "Only images whose label comes from this person, desk, feed or model."),
    ] = None
    disputed: Annotated[
        bool | None,
        FilterField("image.disputed", "Only images whose labels contradict each other, or only the others."),
    ] = None
    c2pa_state: Annotated[
        CredentialState | None,
        FilterField("provenance.c2pa_state", "Only images whose file has a C2PA manifest in this state."),
    ] = None
    least_content: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A field that a filter sets, with its value."""

    name: str
    field: FilterField
    value: Any


def _declared() -> Iterator[tuple[str, type, FilterField]]:
    for name, hint in get_type_hints(ImageFilter, include_extras=True).items():
        if get_origin(hint) is not Annotated:
            continue
        kind, field = get_args(hint)[:2]
        kinds = [part for part in get_args(kind) if part not in (type(None), Ellipsis)]
        yield name, kinds[0], field


FILTER_FIELDS: Final[Mapping[str, FilterField]] = MappingProxyType({name: field for name, _, field in _declared()})
"""Every field of `ImageFilter` by its name, in order."""
SHARED_FIELDS: Final = tuple(name for name in FILTER_FIELDS if name != "label")
"""Those that all commands and request bodies have alike. Each has a `label` of its own, with its own default."""
FIELDS_OF_NEW_IMAGES: Final = tuple(name for name in SHARED_FIELDS if not FILTER_FIELDS[name].later)
"""Those of them that an image can meet when it is added."""
FILTER_TYPES: Final[Mapping[str, type]] = MappingProxyType({name: kind for name, kind, _ in _declared()})
"""What each field holds: one value of this type, or, of `REPEATED` fields, several."""
REPEATED: Final = frozenset(name for name in FILTER_FIELDS if isinstance(getattr(ImageFilter(), name), tuple))
"""Fields that take several values and are met by any of them."""


def given_fields(image_filter: ImageFilter) -> tuple[Given, ...]:
    """The fields that a filter sets, in order."""
    values = ((name, field, getattr(image_filter, name)) for name, field in FILTER_FIELDS.items())
    return tuple(Given(name, field, value) for name, field, value in values if value not in (None, ()))
