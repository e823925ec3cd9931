"""The words of dejafake that are closed lists: labels, techniques, relations, outcomes, kinds of evidence."""

from enum import StrEnum


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


class HashAlgorithm(StrEnum):
    """How a hash of a list was taken: of the picture, or of the bytes. Both are 32 bytes."""

    PDQ = "pdq"
    SHA256 = "sha256"


class Relation(StrEnum):
    """How a query and a known image belong together, strongest first."""

    SAME_FILE = "same_file"
    SAME_PICTURE = "same_picture"
    SAME_ORIGIN = "same_origin"


class Outcome(StrEnum):
    """The outcome of a verdict on "have we seen this fake before?"."""

    KNOWN_FAKE_MATCH = "known_fake_match"
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


class Direction(StrEnum):
    """Which of a verdict's two propositions a piece of evidence speaks for."""

    SUPPORTS = "supports"
    OPPOSES = "opposes"
    NEUTRAL = "neutral"


class CampaignState(StrEnum):
    """Whether anybody still works on a campaign."""

    OPEN = "open"
    CLOSED = "closed"


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
