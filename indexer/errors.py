"""The one exception hierarchy of dejafake.

`str(error)` is one line for a person that says what to do. The CLI turns `UsageError` into exit code 2 and every
other `DejafakeError` into exit code 1; the HTTP API turns each into an RFC 9457 problem document by its `code`.
"""

from typing import ClassVar


class DejafakeError(Exception):
    """Base of every error a user can cause or must know about."""

    code: ClassVar[str] = "error"


class UsageError(DejafakeError):
    """The request itself makes no sense: a wrong argument, setting, filter or cursor."""

    code = "usage"


class NotFoundError(DejafakeError):
    """The named image, campaign, collection or detector is not in this catalogue."""

    code = "not-found"


class CampaignGoneError(NotFoundError):
    """The named campaign is no more. `successor` is the id of the one that holds its images now, if there is one."""

    code = "gone"

    def __init__(self, message: str, successor: str | None = None) -> None:
        super().__init__(message)
        self.successor = successor


class ConflictError(DejafakeError):
    """The request contradicts what the catalogue already holds (a name that is taken)."""

    code = "conflict"


class UnavailableError(DejafakeError):
    """It cannot be done just now; the same request may succeed a little later."""

    code = "unavailable"


class ImageRejectedError(DejafakeError):
    """The bytes are not a picture we accept. `reason` is a stable slug, the message is for a person.

    Reasons: `empty`, `too_many_bytes`, `too_many_pixels`, `too_many_frames`, `too_small`, `not_an_image`,
    `truncated`, `unsupported`, `unreadable`; a source adds `outside_folder`.
    """

    code = "image-rejected"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class OriginalChangedError(DejafakeError):
    """The bytes of a kept original are not those that were kept: the disk, or somebody, changed them."""

    code = "original-changed"

    def __init__(self, sha256: str) -> None:
        super().__init__(
            f"the kept original of {sha256} is damaged, its bytes are not those that were kept: delete the image and "
            "ingest its file again, and look for others with `dejafake doctor --deep`"
        )
        self.sha256 = sha256


class SourceError(DejafakeError):
    """A folder, manifest, archive or file cannot be used as a source of images."""

    code = "source"


class DetectorError(DejafakeError):
    """A detector cannot be described, loaded or run."""

    code = "detector"


class WeightsUnavailableError(DetectorError):
    """The weights are not on this machine and could not be fetched."""

    code = "weights-unavailable"


class WeightsRefusedError(DetectorError):
    """The weights are there but are not what the spec says: digest, keys, shapes, format or golden outputs differ."""

    code = "weights-refused"


class CatalogError(DejafakeError):
    """The SQL catalogue cannot be opened or written."""

    code = "catalog"


class CatalogTooNewError(CatalogError):
    """The catalogue was written by a newer dejafake."""

    code = "catalog-too-new"


class ReadOnlyError(CatalogError):
    """The home may be read but not written."""

    code = "read-only"


class VectorIndexError(DejafakeError):
    """The vector index is missing, damaged, of another detector, or could not be written."""

    code = "vector-index"


class FingerprintMismatchError(VectorIndexError):
    """The index or embedding belongs to another detector than the one in use."""

    code = "fingerprint-mismatch"
