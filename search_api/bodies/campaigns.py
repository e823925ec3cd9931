"""What clients send to change a campaign."""

from pydantic import Field

from search_api.bodies.fields import Body, Name, Text


class NewName(Body):
    """A new name, and who gives it."""

    name: Name
    by: Name = Field(default="somebody over HTTP", description="Who gives it.")
    note: Text | None = Field(default=None, description="Why.")
