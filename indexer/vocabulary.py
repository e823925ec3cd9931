"""The words of dejafake that are closed lists: labels, techniques, relations, outcomes, kinds of evidence."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeAlias

EMBEDDING_SIZE: Final = 384
"""Numbers of every embedding, whatever detector made it."""
Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Hears how far a step is: its name, how much is done, and of how much, None where that is unknown."""


def no_progress(step: str, done: int, total: int | None) -> None:
    """The `Progress` of a job that nobody watches."""


class LabelValue(StrEnum):
    """What a label says an image is."""

    FAKE = "fake"
    AUTHENTIC = "authentic"
    UNKNOWN = "unknown"


class LabelSource(StrEnum):
    """What kind of source stated a label, in falling precedence."""

    HUMAN = "human"
    TRUSTED_FEED = "trusted_feed"
    MODEL = "model"


class Technique(StrEnum):
    """How a manipulated image was made."""

    TEXT_TO_IMAGE = "text_to_image"
    IMAGE_TO_IMAGE = "image_to_image"
    INPAINTING = "inpainting"
    STYLE_TRANSFER = "style_transfer"
    FINE_TUNED_MODEL = "fine_tuned_model"
    FACE_SWAP = "face_swap"
    FACE_REENACTMENT = "face_reenactment"
    FACE_ATTRIBUTE_EDIT = "face_attribute_edit"
    WHOLE_FACE_SYNTHESIS = "whole_face_synthesis"
    SPLICE = "splice"
    UNKNOWN = "unknown"


class ItemStatus(StrEnum):
    """What became of one item of a source: its image is new, was there before, or could not be taken."""

    ADDED = "added"
    KNOWN = "known"
    REJECTED = "rejected"


class PdqMethod(StrEnum):
    """How a stored hash was taken. `reference`: as the reference implementation does; only these are exchanged.
    `bilinear_512`: of a copy of 512 x 512, as versions up to 0.1.0 did; up to 58 bits away, and still searched."""

    REFERENCE = "reference"
    BILINEAR_512 = "bilinear_512"

    @classmethod
    def of(cls, said: str | None) -> "PdqMethod":
        """What another catalogue says of its hash: any method but the reference is the one of old versions."""
        return cls.REFERENCE if said == cls.REFERENCE else cls.BILINEAR_512


class HashAlgorithm(StrEnum):
    """How a hash of a list was taken: of the picture, or of the bytes. Both are 32 bytes."""

    PDQ = "pdq"
    SHA256 = "sha256"


class Relation(StrEnum):
    """How a query and a known image belong together, strongest first."""

    SAME_FILE = "same_file"
    SAME_PICTURE = "same_picture"
    SHARES_PART = "shares_part"
    SAME_ORIGIN = "same_origin"


class Outcome(StrEnum):
    """The outcome of a verdict on "have we seen this fake before?". `shares_part_with_known_fake`: each contains a part
    of the other, which may be a pasted face as well as a logo; it is no copy."""

    KNOWN_FAKE_MATCH = "known_fake_match"
    SHARES_PART_WITH_KNOWN_FAKE = "shares_part_with_known_fake"
    SIMILAR_TO_KNOWN_FAKE = "similar_to_known_fake"
    NO_MATCH_FOUND = "no_match_found"
    INCONCLUSIVE = "inconclusive"
    NOT_ASSESSABLE = "not_assessable"


class EvidenceKind(StrEnum):
    """What a piece of evidence rests on."""

    HUMAN = "human"
    CRYPTOGRAPHIC = "cryptographic"
    STATISTICAL = "statistical"
    SELF_DECLARED = "self_declared"


class ProvenanceKind(StrEnum):
    """What part of a file's own words about its origin a finding is about."""

    CONTENT_CREDENTIALS = "content_credentials"
    DECLARATION = "declaration"
    GENERATION = "generation"
    CAMERA = "camera"
    SOFTWARE = "software"
    THUMBNAIL = "thumbnail"
    WATERMARK = "watermark"
    UNREADABLE = "unreadable"


class CredentialState(StrEnum):
    """What checking a file's C2PA manifest gave: a trust anchor vouches for its signer; unchanged, but anyone can sign;
    or it does not hold."""

    TRUSTED = "trusted"
    VALID = "valid"
    INVALID = "invalid"


class Direction(StrEnum):
    """Which of a verdict's two propositions a piece of evidence speaks for."""

    SUPPORTS = "supports"
    OPPOSES = "opposes"
    NEUTRAL = "neutral"


class CampaignState(StrEnum):
    """Whether anybody still works on a campaign."""

    OPEN = "open"
    CLOSED = "closed"


class ReviewKind(StrEnum):
    """Why something waits for a person to decide."""

    CAMPAIGN_MEMBER = "campaign_member"
    WATCH_EVENT = "watch_event"
    DISPUTED_LABEL = "disputed_label"
    KNOWN_COPY = "known_copy"
    LISTED_HASH = "listed_hash"
    NOVELTY = "novelty"


class ReviewChoice(StrEnum):
    """What a person decided about something that waited."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"


class MemberState(StrEnum):
    """Who says that an image belongs to its campaign: a clustering, or an analyst as well."""

    SUGGESTED = "suggested"
    CONFIRMED = "confirmed"


class CampaignEventKind(StrEnum):
    """What happened to a campaign."""

    BORN = "born"
    DIED = "died"
    MERGED = "merged"
    SPLIT = "split"
    GREW = "grew"
    SHRANK = "shrank"
    RENAMED = "renamed"


class DecisionKind(StrEnum):
    """What an analyst decided. `confirm` and `pin` are about a campaign as it stands, the `…_member` ones about images
    by name."""

    CONFIRM = "confirm"
    CONFIRM_MEMBER = "confirm_member"
    REJECT_MEMBER = "reject_member"
    PIN = "pin"
    PIN_MEMBER = "pin_member"
    MERGE = "merge"
    SPLIT = "split"
    RENAME = "rename"
    ANNOTATE = "annotate"
    CLOSE = "close"
    UNDO = "undo"


class ReasonKind(StrEnum):
    """Why an image is a member of its campaign. `same_picture`: by PDQ; `verified_copy`: by local features that lie
    alike; `as_written`: a sentence of an older version that could not be read."""

    SAME_PICTURE = "same_picture"
    VERIFIED_COPY = "verified_copy"
    SAME_ORIGIN = "same_origin"
    SAME_RECIPE = "same_recipe"
    DECIDED = "decided"
    JOINED = "joined"
    PLACED = "placed"
    AS_WRITTEN = "as_written"


class Trait(StrEnum):
    """What images of a campaign can have in common, by label, sighting or what the file says of itself."""

    GENERATOR = "generator"
    TECHNIQUE = "technique"
    PLATFORM = "platform"
    ACCOUNT = "account"
    CLAIM = "claim"
    LANGUAGE = "language"
    MODEL_HASH = "model_hash"
    TOOL = "tool"
