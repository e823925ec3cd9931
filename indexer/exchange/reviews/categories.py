"""The six categories of MediaReview, and the words that feeds write for them."""

import re
from dataclasses import dataclass
from enum import StrEnum


class MediaCategory(StrEnum):
    """schema.org's MediaManipulationRatingEnumeration: a piece of media as it was published or shared."""

    DECONTEXTUALIZED = "DecontextualizedContent"
    EDITED_OR_CROPPED = "EditedOrCroppedContent"
    ORIGINAL = "OriginalMediaContent"
    SATIRE_OR_PARODY = "SatireOrParodyContent"
    STAGED = "StagedContent"
    TRANSFORMED = "TransformedContent"


@dataclass(frozen=True, slots=True)
class Category:
    """What a review says the media is: `said` verbatim, and the category it means, None if unknown."""

    said: str
    category: MediaCategory | None


_WORDS = {
    **dict.fromkeys(("decontextualized", "decontextualised", "missingcontext"), MediaCategory.DECONTEXTUALIZED),
    **dict.fromkeys(("editedorcropped", "editedcropped", "edited", "cropped"), MediaCategory.EDITED_OR_CROPPED),
    **dict.fromkeys(("originalmedia", "original", "authentic", "authenticmedia"), MediaCategory.ORIGINAL),
    **dict.fromkeys(("satireorparody", "satireparody", "satire", "parody"), MediaCategory.SATIRE_OR_PARODY),
    "staged": MediaCategory.STAGED,
    "transformed": MediaCategory.TRANSFORMED,
}
"""Current terms, labels shown to readers, and names of earlier drafts, as letters only and without "content"."""


def categories_of(text: str) -> tuple[Category, ...]:
    """The categories a text names: a term, its IRI, a label, or several joined by commas, semicolons or bars.

    An unknown word is kept without a category; it is never mapped to a similar one.
    """
    whole = _meaning(text)
    if whole is not None:
        return (Category(text, whole),)
    parts = [part.strip() for part in re.split(r"[,;|\n]", text)]
    return tuple(Category(part, _meaning(part)) for part in parts if part)


def _meaning(text: str) -> MediaCategory | None:
    name = re.split(r"[/#:]", text.strip().rstrip("/"))[-1] if re.match(r"(https?|schema):", text.strip()) else text
    letters = "".join(character for character in name.lower() if character.isalpha())
    return _WORDS.get(letters.removesuffix("content") or letters)
