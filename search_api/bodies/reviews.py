"""What clients send to decide about what waits for review."""

from pydantic import BaseModel, Field

from indexer.vocabulary import ReviewChoice
from search_api.bodies.fields import Body, Name, Text


class ReviewAnswer(Body):
    """A decision about something that waits."""

    choice: ReviewChoice = Field(description="`cannot_tell` sets it aside.")
    by: Name = Field(description="Who decides.")
    reason: Text | None = Field(default=None, description="Why.")


class ReviewAssignment(Body):
    """Who is to look at something that waits."""

    person: Name | None = Field(description="Their name; null: nobody in particular.")
    by: Name = Field(description="Who assigns it.")


class ReviewAssigned(BaseModel):
    """Who is to look at something that waits; null: nobody in particular."""

    person: str | None


class ReviewTakenBack(Body):
    """Who takes a decision back."""

    by: Name
    reason: Text | None = Field(default=None, description="Why.")
