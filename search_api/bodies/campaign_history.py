"""Analysts' decisions as clients send them: one kind of body each, told apart by `kind`."""

from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from indexer.campaigns import decisions
from indexer.campaigns.decisions import Author
from indexer.catalog.records.campaigns import Decision
from search_api.bodies.fields import Body, Name, Sha256, Text

Images = Annotated[tuple[Sha256, ...], Field(min_length=1, max_length=1_000, description="SHA-256 of the images.")]
Other = Annotated[str, Field(min_length=1, max_length=64, description="Id of the campaign to merge into this one.")]


class UndoRequest(Body):
    """Who takes a decision back."""

    by: Name = Field(description="Who decides.")
    note: Text | None = Field(default=None, description="Why.")

    @property
    def author(self) -> Author:
        """Who decides, and why."""
        return Author(self.by, self.note)


class _NewDecision(UndoRequest):
    @abstractmethod
    def carry_out(self, session: Session, campaign: str) -> Decision:
        """Makes the decision about a campaign."""


class Confirm(_NewDecision):
    """It is one campaign; its present members stay in it."""

    kind: Literal["confirm"]

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.confirm(session, campaign, self.author)


class Pin(_NewDecision):
    """It lives on with its present members, whatever later runs find."""

    kind: Literal["pin"]

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.pin(session, campaign, self.author)


class Close(_NewDecision):
    """Nobody works on it any more."""

    kind: Literal["close"]

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.close(session, campaign, self.author)


class _ImagesDecision(_NewDecision):
    images: Images


class ConfirmMember(_ImagesDecision):
    """These images belong to it."""

    kind: Literal["confirm_member"]

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.confirm_members(session, campaign, self.images, self.author)


class RejectMember(_ImagesDecision):
    """These images do not belong to it."""

    kind: Literal["reject_member"]

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.reject_members(session, campaign, self.images, self.author)


class PinMember(_ImagesDecision):
    """These images stay in it, whatever runs find."""

    kind: Literal["pin_member"]

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.pin_members(session, campaign, self.images, self.author)


class Merge(_NewDecision):
    """Another campaign is part of it."""

    kind: Literal["merge"]
    other: Other

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.merge(session, campaign, self.other, self.author)


class Split(_ImagesDecision):
    """These images of it are a campaign of their own."""

    kind: Literal["split"]
    name: Name | None = Field(default=None, description="What the new campaign is called.")

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.split(session, campaign, self.images, self.author, name=self.name)


class Rename(_NewDecision):
    """People call it so."""

    kind: Literal["rename"]
    name: Name

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.rename(session, campaign, self.name, self.author)


class Annotate(_NewDecision):
    """A note on it, in `note`."""

    kind: Literal["annotate"]

    def carry_out(self, session: Session, campaign: str) -> Decision:
        return decisions.annotate(session, campaign, self.author)


DecisionRequest = Annotated[
    Confirm | Pin | Close | ConfirmMember | RejectMember | PinMember | Merge | Split | Rename | Annotate,
    Field(discriminator="kind"),
]
