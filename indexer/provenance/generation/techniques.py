"""From a generator's settings to the vocabulary of techniques."""

import re

from indexer.vocabulary import Technique

_STYLE = re.compile(r"ip[-_ ]?adapter|style|reference|shuffle|clip[-_ ]?vision|redux|unclip|revision|vibe")
_FACE = re.compile(r"face[-_ ]?id|instant[-_ ]?id|pulid|photomaker")


def is_style_reference(*names: str | None) -> bool:
    """Whether something that steers a picture carries over the look of another one, by its name.

    Names of ControlNet models that keep edges, depth or poses do not; nor do those that carry over a face.
    """
    known = " ".join(name for name in names if name).lower()
    return bool(_STYLE.search(known)) and not _FACE.search(known)


def is_face_swap(name: str) -> bool:
    """Whether a step or an extension of this name swaps faces."""
    plain = name.lower().replace(" ", "").replace("_", "")
    return "faceswap" in plain or "reactor" in plain or "roop" in plain


def techniques(
    *,
    source_picture: bool = False,
    mask: bool = False,
    style: bool = False,
    face_swap: bool = False,
    lora: bool = False,
) -> tuple[Technique, ...]:
    """All techniques that settings imply, the one that says most of the result first.

    Args:
        source_picture: it began from another picture.
        mask: only a part of that picture was made anew.
        style: another picture's look was carried over.
        face_swap: a face was swapped.
        lora: the model was fine-tuned by a LoRA or its like.
    """
    implied = (
        (Technique.FACE_SWAP, face_swap),
        (Technique.INPAINTING, mask),
        (Technique.STYLE_TRANSFER, style),
        (Technique.IMAGE_TO_IMAGE, source_picture and not mask),
        (Technique.FINE_TUNED_MODEL, lora),
        (Technique.TEXT_TO_IMAGE, not (source_picture or mask or face_swap)),
    )
    return tuple(technique for technique, holds in implied if holds)
