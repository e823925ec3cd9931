"""The checks every decision must pass, and the author of a decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from indexer.campaigns.identity.bindings import Bindings, bindings
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.records.campaigns import Campaign, Decision, StoredMember
from indexer.errors import ConflictError, NotFoundError, UsageError


@dataclass(frozen=True, slots=True)
class Author:
    """Who decides, and why."""

    by: str
    note: str | None = None


def standing_bindings(session: Session) -> Bindings:
    """The combined effect of all decisions in force in a catalogue."""
    return bindings(campaign_decisions.standing(session))


def images_named(session: Session, sha256s: Sequence[str]) -> dict[str, StoredMember]:
    """The current placement of these images, sorted by SHA-256.

    Raises:
        UsageError: there are none.
        NotFoundError: one is not in the catalogue.
    """
    digests = sorted(set(sha256s))
    if not digests:
        raise UsageError("name at least one image")
    stored = campaign_members.find(session, digests)
    missing = [sha256 for sha256 in digests if sha256 not in stored]
    if missing:
        raise NotFoundError(f"{len(missing)} of these images are not in this catalogue, first {missing[0]}")
    return {sha256: stored[sha256] for sha256 in digests}


def check_membership(campaign: Campaign, stored: Mapping[str, StoredMember]) -> None:
    """
    Raises:
        NotFoundError: one of the images is not in the campaign.
    """
    others = [sha256 for sha256, member in stored.items() if member.campaign != campaign.id]
    if others:
        raise NotFoundError(f"image {others[0]} is not in campaign {campaign.id}: its members can be listed")


def check_new(earlier: Decision | None, words: str) -> None:
    """
    Raises:
        ConflictError: it was decided already; `words` describe the earlier decision.
    """
    if earlier is not None:
        raise ConflictError(f"{words}, by decision {earlier.id} of {earlier.by}")


def contradiction(words: str, earlier: Decision) -> ConflictError:
    """The error for a decision that contradicts an earlier one; `words` describe what the earlier one did."""
    return ConflictError(
        f"{words} by decision {earlier.id} of {earlier.by}: to decide otherwise, undo it first with "
        f"`dejafake decide undo {earlier.id}`"
    )


def check_not_by_name(sha256: str, campaign: str, decided: Bindings) -> None:
    """
    Raises:
        ConflictError: a decision that names the image keeps it in the campaign.
    """
    binding = decided.bound.get(sha256)
    if binding is not None and binding.by_name:
        raise contradiction(f"image {sha256} was put in campaign {campaign}", binding.decision)
