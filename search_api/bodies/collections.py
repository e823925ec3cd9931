"""What clients send to change collections, and what they get."""

from pydantic import BaseModel, Field

from search_api.bodies.fields import Body, Name, Sha256, Text


class NewCollection(Body):
    """A collection to make."""

    name: Name
    description: Text = ""


class ImageSet(Body):
    """Images by SHA-256."""

    sha256: tuple[Sha256, ...] = Field(min_length=1, max_length=1_000)


class ChangedImages(BaseModel):
    """How many images a request put into a collection or took out of it."""

    changed: int
