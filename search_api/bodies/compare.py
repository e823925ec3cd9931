"""What clients send to compare two pictures."""

from pydantic import Field

from search_api.bodies.fields import Body, Sha256


class CompareFields(Body):
    """What a picture is compared with, beside a file."""

    image_id: Sha256 | None = Field(default=None, description="SHA-256 of an image of the catalogue, in place of `b`.")
