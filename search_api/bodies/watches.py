"""What clients send to make and change watches."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from indexer.catalog.records.filters import FILTER_FIELDS, SHARED_FIELDS, ImageFilter
from indexer.vocabulary import LabelValue
from search_api.bodies.fields import Body, Conditions, Name, Sha256

Key = Annotated[SecretStr, Field(min_length=16, max_length=256)]
HookAddress = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2_000)]


class WatchedConditions(Conditions):
    """Conditions on new images; at least one."""

    label: LabelValue | None = Field(default=None, description="Only images that have this label when they are added.")

    @model_validator(mode="after")
    def _can_be_met_by_new_images(self) -> Self:
        later = [name for name in SHARED_FIELDS if FILTER_FIELDS[name].later and getattr(self, name) is not None]
        if later:
            raise ValueError(
                f"{' and '.join(later)}: no image is in a campaign yet when it is added; to watch a campaign, give "
                "`campaign` instead of `filter`"
            )
        return self


class WatchFields(Body):
    """What is said of a watch, whatever it is for."""

    name: Name = Field(description="Name of the watch.")
    webhook_url: HookAddress | None = Field(default=None, description="URL that matches are sent to, by a signed POST.")
    secret: Key | None = Field(
        default=None, description="The key that signs it, never shown again. Absent: the server's callback key."
    )

    @model_validator(mode="after")
    def _secret_of_something(self) -> Self:
        if self.secret is not None and self.webhook_url is None:
            raise ValueError("a secret goes with a webhook_url")
        return self


class NewWatch(WatchFields):
    """A watch for exactly one of `image_id`, `campaign` and `filter`."""

    image_id: Sha256 | None = Field(default=None, description="SHA-256 of an image of the catalogue.")
    campaign: Annotated[str, StringConstraints(max_length=32)] | None = Field(
        default=None, description="Id of a campaign: images that join it."
    )
    filter: WatchedConditions | None = Field(default=None, description="Images that meet these conditions.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in ("image_id", "campaign", "filter") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of image_id, campaign and filter, not {len(given)}")
        return self

    def wanted(self) -> ImageFilter:
        """The conditions as the catalogue's filter; an empty one when there are none."""
        return ImageFilter() if self.filter is None else self.filter.image_filter(self.filter.label)


class WatchChange(Body):
    """A change of a watch."""

    paused: bool = Field(description="True pauses it, false resumes it.")
