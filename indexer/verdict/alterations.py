"""What was done to a known picture, in words, by where it lies in a query."""

from dataclasses import replace
from typing import Final

from indexer.copies.verification.overlap import Overlap

_NEARLY_ALL: Final = 0.95
"""Shares above this count as all of a picture: registration is not exact to the pixel."""
_MOST: Final = 0.5
_LEAST_TURN: Final = 2.0


def alterations(overlap: Overlap) -> tuple[str, ...]:
    """How the query's picture differs from the known one, each in a few words; empty where nothing of it shows."""
    said = []
    if overlap.known_share < _NEARLY_ALL:
        said.append(f"cropped to {percent(overlap.known_share)}")
    if overlap.mirrored:
        said.append("mirrored")
    if abs(overlap.turned) >= _LEAST_TURN:
        said.append(f"turned by {abs(overlap.turned):.0f}°")
    if overlap.query_share < _MOST:
        said.append(f"set into a larger picture, of which it fills {percent(overlap.query_share)}")
    elif overlap.query_share < _NEARLY_ALL:
        said.append("with a caption, bars or a frame added")
    return tuple(said)


def alteration_words(overlap: Overlap) -> str:
    """The same in one phrase: "cropped to 64 % and mirrored"; empty where nothing shows."""
    *others, last = alterations(overlap) or ("",)
    return f"{', '.join(others)} and {last}" if others else last


def seen_from_known(overlap: Overlap) -> Overlap:
    """The same overlap with the shares and the turn that the known picture has as a query; transform and boxes stay."""
    return replace(overlap, query_share=overlap.known_share, known_share=overlap.query_share, turned=-overlap.turned)


def shared_words(overlap: Overlap) -> str:
    """How much of each picture a shared part covers."""
    mirrored = ", mirrored" if overlap.mirrored else ""
    return (
        f"it covers {percent(overlap.query_share)} of this picture and {percent(overlap.known_share)} of the known "
        f"one{mirrored}"
    )


def percent(share: float) -> str:
    """A share from 0 to 1 in words; what is there is never 0 %."""
    return f"{max(1, round(100 * share))} %"
