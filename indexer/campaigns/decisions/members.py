"""Decisions about members by name: confirm, pin, reject."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from indexer.campaigns.decisions.checks import (
    Author,
    check_membership,
    check_new,
    check_not_by_name,
    contradiction,
    images_named,
    standing_bindings,
)
from indexer.campaigns.decisions.effects import Effects
from indexer.catalog.campaigns import campaigns
from indexer.catalog.records.campaigns import Decision, NewDecision, Placement
from indexer.errors import UsageError
from indexer.vocabulary import DecisionKind


def confirm_members(session: Session, campaign: str, sha256s: Sequence[str], author: Author) -> Decision:
    """Confirms that these images belong to the campaign; images not in it yet are added.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more), or no such image.
        UsageError: an image is not known as a fake.
        ConflictError: another decision says otherwise, or says it already.
    """
    return _place(session, DecisionKind.CONFIRM_MEMBER, campaign, sha256s, author)


def pin_members(session: Session, campaign: str, sha256s: Sequence[str], author: Author) -> Decision:
    """Keeps these images in the campaign whatever later runs find; images not in it yet are added.

    Raises:
        As `confirm_members`.
    """
    return _place(session, DecisionKind.PIN_MEMBER, campaign, sha256s, author)


def reject_members(session: Session, campaign: str, sha256s: Sequence[str], author: Author) -> Decision:
    """Rejects these images from the campaign: they leave it, and no later run puts them back.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more), or an image is not in it.
        ConflictError: an image was confirmed or pinned there, or rejected already.
    """
    current, decided = campaigns.existing(session, campaign), standing_bindings(session)
    stored = images_named(session, sha256s)
    for sha256 in stored:
        earlier = decided.barred.get(sha256, {}).get(current.id)
        check_new(earlier, f"image {sha256} is rejected from campaign {current.id} already")
    check_membership(current, stored)
    for sha256 in stored:
        check_not_by_name(sha256, current.id, decided)
    return Effects(session).carry_out(
        NewDecision(
            DecisionKind.REJECT_MEMBER,
            current.id,
            author.by,
            author.note,
            images=tuple(Placement(sha256, current.id, None) for sha256 in stored),
        )
    )


def _place(session: Session, kind: DecisionKind, campaign: str, sha256s: Sequence[str], author: Author) -> Decision:
    current, decided = campaigns.existing(session, campaign), standing_bindings(session)
    stored = images_named(session, sha256s)
    already = decided.confirmed if kind is DecisionKind.CONFIRM_MEMBER else decided.pinned
    for sha256, member in stored.items():
        if not member.is_fake:
            raise UsageError(
                f"image {sha256} is not known as a fake, and campaigns are of known fakes: "
                "label it first with `dejafake label`"
            )
        rejected = decided.barred.get(sha256, {}).get(current.id)
        if rejected is not None:
            raise contradiction(f"image {sha256} was rejected from campaign {current.id}", rejected)
        binding = decided.bound.get(sha256)
        if binding is None or not binding.by_name:
            continue
        if binding.campaign != current.id:
            raise contradiction(f"image {sha256} was put in campaign {binding.campaign}", binding.decision)
        if sha256 in already and already[sha256].kind is kind:
            check_new(already[sha256], f"image {sha256} is that already in campaign {current.id}")
    places = tuple(Placement(sha256, member.campaign, current.id) for sha256, member in stored.items())
    return Effects(session).carry_out(NewDecision(kind, current.id, author.by, author.note, images=places))
