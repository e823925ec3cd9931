"""What clients send to search by a region of a picture."""

from pydantic import Field

from search_api.bodies.fields import Body


class RegionFields(Body):
    """A box on a picture, in pixels as it is upright; right and bottom are outside."""

    left: int = Field(ge=0, le=2**31 - 1, description="Left edge of the region, in pixels of the upright picture.")
    top: int = Field(ge=0, le=2**31 - 1, description="Upper edge.")
    right: int = Field(ge=1, le=2**31 - 1, description="Right edge, which is outside.")
    bottom: int = Field(ge=1, le=2**31 - 1, description="Lower edge, which is outside.")
    limit: int | None = Field(default=None, ge=1, le=1000, description="Most matches. Absent: the server's setting.")
