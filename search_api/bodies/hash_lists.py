"""What clients send to import and export hash lists."""

from typing import Literal

from pydantic import Field

from indexer.vocabulary import HashAlgorithm, LabelValue
from search_api.bodies.fields import Body, Conditions, Name


class ImportFields(Body):
    """What is said of a whole list."""

    source: Name = Field(description="Name of the list: who keeps it.")
    algorithm: HashAlgorithm | None = Field(
        default=None, description="What bare hashes are; lines `pdq HASH` and `sha256 HASH` say it themselves."
    )
    label: LabelValue = Field(default=LabelValue.FAKE, description="What the list says all of its images are.")


class HashExport(Conditions):
    """Which hashes of which of our images."""

    algorithm: HashAlgorithm = Field(default=HashAlgorithm.PDQ, description="Which hashes.")
    label: Literal["fake", "authentic", "unknown", "any"] = Field(
        default="fake", description="Only images with this current label; `any`: all images."
    )

    def wanted_label(self) -> LabelValue | None:
        """The label as the catalogue's filter takes it."""
        return None if self.label == "any" else LabelValue(self.label)
