"""Names of archive members as text. Old archives name no encoding: it is guessed from the bytes, for display only.

A byte of a Chinese, Japanese or Korean character is never taken for a path separator.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

_BYTES = "cp437"
"""Zip's default encoding; every byte is a character of it."""
_LEGACY = ("cp932", "cp949", "gbk", "big5")
"""Encodings of Japanese, Korean, simplified and traditional Chinese Windows."""


def decoded(raw: bytes, legacy: str) -> str:
    """A name as text: UTF-8 where it is that, else in `legacy`; what is neither is shown byte by byte, and
    a 0x5C that may be half of a character as a wide backslash, which separates nothing."""
    for encoding in ("utf-8", legacy):
        with suppress(UnicodeDecodeError):
            if encoding != _BYTES:
                return raw.decode(encoding)
    trails = {at for at in range(1, len(raw)) if raw[at] == 0x5C and raw[at - 1] > 0x80}
    return "".join("\uff3c" if at in trails else byte for at, byte in enumerate(raw.decode(_BYTES)))


def legacy_encoding(names: Iterable[bytes]) -> str:
    """The encoding that the names of an archive which are no UTF-8 are most likely in; cp437, zip's own, if none fits.

    Each candidate must read all of them, and is judged by how many characters lie where its language has its common
    ones.
    """
    odd = [name for name in names if not _is_utf8(name)]
    best, most = _BYTES, 0.5
    for encoding in _LEGACY if odd else ():
        try:
            pairs = [pair for name in odd for pair in _pairs(name.decode(encoding), encoding)]
        except UnicodeDecodeError:
            continue
        common = sum(map(_COMMON[encoding], pairs)) / max(1, len(pairs))
        if pairs and common > most:
            best, most = encoding, common
    return best


def parts_of(name: str) -> tuple[str, ...]:
    """The folders and the file of a name; both kinds of slashes separate."""
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _pairs(text: str, encoding: str) -> list[bytes]:
    """The bytes of the non-ASCII characters."""
    return [character.encode(encoding) for character in text if not character.isascii()]


def _between(*leads: tuple[int, int], second: int = 0) -> Callable[[Sequence[int]], bool]:
    return lambda pair: len(pair) == 2 and pair[1] >= second and any(low <= pair[0] <= high for low, high in leads)


_COMMON: dict[str, Callable[[Sequence[int]], bool]] = {
    "cp932": _between((0x82, 0x83), (0x88, 0x97)),
    "cp949": _between((0xB0, 0xC8), second=0xA1),
    "gbk": _between((0xB0, 0xD7), second=0xA1),
    "big5": _between((0xA4, 0xC6)),
}
"""Ranges in which each encoding has its syllables or its frequent characters."""
