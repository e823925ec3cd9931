"""Words of the library that pages show and that have translations: marked here, since the library knows no gettext."""

from typing import Final

from search_api.web.language import N_

OUTCOMES: Final = (
    N_("Known fake"),
    N_("Shares a part with a known fake"),
    N_("Similar to known fakes"),
    N_("No known fake of this catalogue matches"),
    N_("Inconclusive: a person must look"),
    N_("Cannot be assessed"),
)
"""The headlines of `indexer.verdict.headlines`."""
RELATIONS: Final = (N_("same file"), N_("same picture"), N_("shares a part"), N_("same origin"))
TECHNIQUES: Final = (
    N_("text to image"),
    N_("image to image"),
    N_("inpainting"),
    N_("style transfer"),
    N_("fine tuned model"),
    N_("face swap"),
    N_("face reenactment"),
    N_("face attribute edit"),
    N_("whole face synthesis"),
    N_("splice"),
    N_("unknown"),
)
"""The techniques of the vocabulary, as the filter `words` writes them."""

QUESTIONS: Final = (
    N_("Does this picture belong to the campaign?"),
    N_("Does this match matter?"),
    N_("Is this picture fake?"),
    N_("Is this the same picture as the known fake?"),
    N_("Is this picture fake, as the hash list says?"),
)
"""What `indexer.review.queue` asks."""
