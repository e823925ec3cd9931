"""What clients ask about accounts."""

from pydantic import Field

from indexer.accounts import AccountQuestion
from indexer.vocabulary import LabelValue
from search_api.bodies.fields import Conditions


class AccountQuery(Conditions):
    """Which posts are compared, and how near to each other."""

    label: LabelValue | None = Field(default=None, description="Only images with this current label.")
    window_minutes: int = Field(default=60, ge=1, le=10_080, description="How far apart two posts may be, at most.")
    min_shared: int = Field(default=2, ge=1, le=1_000, description="Fewest pictures that two accounts shared so.")

    @property
    def question(self) -> AccountQuestion:
        """The question for the library."""
        return AccountQuestion(self.window_minutes, self.min_shared, images=self.image_filter(self.label))
