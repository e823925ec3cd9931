"""Untrusted bytes to an upright 8-bit RGB picture, or one clear refusal. Nothing else decodes images in dejafake."""

import contextlib
import errno
import hashlib
import io
import os
import stat
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from indexer.errors import ImageRejectedError
from indexer.imaging import partial
from indexer.imaging.budget import DECODING, HELD, budget_of
from indexer.imaging.colour import Converted, to_srgb
from indexer.imaging.content import TOO_LITTLE, content_of
from indexer.imaging.file_facts import FileFacts
from indexer.imaging.frames import Frame, says_enough, with_content
from indexer.imaging.limits import ImageLimits
from indexer.imaging.quiet import quiet_libtiff
from indexer.imaging.sniffing import sniff
from indexer.imaging.structure import Declared, read_structure
from indexer.imaging.structure.tiff import exif_orientation

# Pillow tells oddities of metadata through `warnings`, whose context manager is not safe in threads. Its own bomb
# warning is left as it is: the limits here come first.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.\w+ImagePlugin")
quiet_libtiff()


class _StillWebP(WebPImageFile):
    """A WebP picture that frees its decoder, which keeps two canvases for further frames, when there are none."""

    def _get_next(self) -> tuple[bytes, int, int]:
        frame = super()._get_next()
        if self.n_frames == 1:
            self._decoder = None
        return frame


_OPENERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "GIF": GifImageFile,
    "WEBP": _StillWebP,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "AVIF": AvifImageFile,
}

_DECODING: Final = {"JPEG": 12, "PNG": 12, "GIF": 12, "BMP": 8, "WEBP": 12}
"""Peak bytes per pixel of decoding one picture."""
_CHOOSING: Final = 28
"""The same for a file with several frames: the decoder's canvas, and the first, the best and the current frame."""

UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transposition that turns a picture of each EXIF orientation (except 1) upright."""


@dataclass(frozen=True, slots=True)
class DecodedImage(FileFacts):
    """A picture that passed all checks.

    `rgb` is upright, mode RGB, 8 bit, sRGB where a profile said how, without metadata. `alpha` is the transparency it
    had (mode L, not turned upright), None where it had none; `frame` the number of the frame that was read, from 0.
    `missing` is None unless the file ends early: the share of the picture that is missing, 0 where none is. `rgb` is
    then the part that is there, unless hardly anything is missing.
    """

    rgb: Image.Image
    alpha: Image.Image | None = None
    frame: int = 0
    missing: float | None = None


def sha256_hex(data: bytes) -> str:
    """SHA-256 of `data` as 64 lower-case hex digits: the name of an image."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path, limits: ImageLimits) -> bytes:
    """The content of a regular file, never more than `limits.max_bytes` (plus one byte to notice it).

    Raises:
        ImageRejectedError: `unreadable` (missing, no permission, a directory, pipe or device), `empty`,
            `too_many_bytes`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ImageRejectedError("unreadable", "not a regular file; give a picture file")
            limits.check_bytes(status.st_size)
            data = file.read(limits.max_bytes + 1)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = "check its permissions" if error.errno in (errno.EACCES, errno.EPERM) else "check the path"
        raise ImageRejectedError("unreadable", f"the file cannot be read ({reason}); {hint}") from None
    except ValueError as error:
        raise ImageRejectedError("unreadable", f"the file cannot be read ({error}); check the path") from None
    limits.check_bytes(len(data))
    return data


def decode(data: bytes, limits: ImageLimits, sha256: str | None = None) -> DecodedImage:
    """The picture in `data`; of an animation or a multi-page file the first with content. Of a file that ends early,
    what is there, unless the limits are strict.

    Size, frames and completeness are read from the file's structure and checked before any pixel is decoded. Thread
    safe. Peak memory is 8 to 16 bytes a pixel, 28 of an animation, for which it waits where others take it
    (`indexer.imaging.budget`).

    Args:
        data: the untouched bytes.
        limits: how large they and the picture may be.
        sha256: `sha256_hex(data)`, where it is known already.

    Raises:
        ImageRejectedError: with one of the reasons listed there; no other error leaves this function, whatever the
            bytes are.
    """
    limits.check_bytes(len(data))
    name = sniff(data)
    cut = False
    try:
        declared = read_structure(name, data, limits)
        cut = declared.cut
        if cut and limits.strict:
            raise EOFError
        return _decode(name, data, declared, limits, sha256 or sha256_hex(data))
    except ImageRejectedError:
        raise
    except Exception as error:  # noqa: BLE001 - on hostile bytes Pillow raises almost anything
        raise _refusal(name, EOFError() if cut else error) from None


def _decode(name: str, data: bytes, declared: Declared, limits: ImageLimits, sha256: str) -> DecodedImage:
    budget = budget_of(limits.max_decoded_bytes)
    width, height = declared.size or _size_in(name, declared.body, limits)
    each = _CHOOSING if declared.frames > 1 else _DECODING.get(name, DECODING)
    with budget.decoding(max(width * height, declared.most_pixels), each) as lease:
        image = _with_content(name, data, declared, limits, sha256)
        budget.hold(lease, image.rgb, image.width * image.height, HELD + (image.alpha is not None))
    return image


def _size_in(name: str, body: bytes, limits: ImageLimits) -> tuple[int, int]:
    """The size that only the decoder knows, without decoding a pixel."""
    with _opener(name)(io.BytesIO(body)) as image:
        limits.check_size(*image.size)
        return image.size


def _with_content(name: str, data: bytes, declared: Declared, limits: ImageLimits, sha256: str) -> DecodedImage:
    """The first picture with content in a file that holds several (MPO), else the first."""
    first = _decoded(name, data, declared, limits, sha256)
    number, following = 1, declared.following
    while following is not None and content_of(first.rgb) < TOO_LITTLE:
        number += 1
        with contextlib.suppress(Exception):  # hostile bytes; the first picture is good
            other = _decoded(name, data, following, limits, sha256)
            if content_of(other.rgb) >= TOO_LITTLE:
                note = f"picture {number} of the file, the first with something to see"
                return replace(other, notes=(*other.notes, note))
        following = following.following
    return first


def _decoded(name: str, data: bytes, declared: Declared, limits: ImageLimits, sha256: str) -> DecodedImage:
    with _opener(name)(io.BytesIO(declared.body)) as image:
        limits.check_size(*image.size)
        frames = max(declared.frames, getattr(image, "n_frames", 1) if declared.size is None else 1)
        limits.check_frames(frames)
        mode = image.mode
        orientation = declared.orientation
        if name == "AVIF":
            orientation = _orientation_in(image)
        cut = partial.load(image, name, cut=declared.cut)
        if cut and limits.strict:
            raise ImageRejectedError("truncated", "the file ends early; fetch it again")
        filling = partial.jpeg_filling(image) if cut and name == "JPEG" else None
        _free_decoder(image)
        converted = to_srgb(image, taken_over=True)
    del image  # its pixels are not needed beside those of the picture and of the turned picture
    notes = list(declared.notes)
    missing = None
    if cut:
        converted, rows = _what_is_there(name, declared, converted, filling)
        missing = rows / converted.rgb.height
        converted = partial.mended(converted, rows, name)
        notes.append(partial.note(missing))
    frame = _frame(name, declared, converted, frames, limits)
    if frames > 1:
        notes.append(_which(frame.number - declared.first_shown, frames))
    converted = frame.converted
    rgb, changes = converted.rgb, converted.notes
    if orientation != 1:
        notes.append(f"turned upright by EXIF orientation {orientation}")
        if name != "TIFF":  # Pillow has turned it while loading
            rgb = rgb.transpose(UPRIGHT[orientation])
    if declared.depth > 8 and not any("reduced to 8-bit" in change for change in changes):
        notes.append(f"{declared.depth}-bit reduced to 8-bit")
    notes.extend(changes)
    return DecodedImage(
        sha256=sha256,
        byte_size=len(data),
        format=name,
        width=rgb.width,
        height=rgb.height,
        mode=mode,
        frames=frames,
        notes=tuple(notes),
        rgb=rgb,
        alpha=converted.alpha,
        frame=frame.number,
        missing=missing,
    )


def _free_decoder(image: ImageFile.ImageFile) -> None:
    """Frees what the WebP and AVIF readers keep besides the pixels, which were copied."""
    if isinstance(image, (WebPImageFile, AvifImageFile)):
        image._decoder = None
        image.fp = None


def _what_is_there(
    name: str, declared: Declared, converted: Converted, filling: tuple[int, ...] | None
) -> tuple[Converted, int]:
    """The picture in a truncated file, and how many of its rows are missing."""
    if declared.interlaced:
        rgb, rows = partial.deinterlaced(converted.rgb)
        return replace(converted, rgb=rgb), rows
    if declared.rows is not None:
        return converted, converted.rgb.height - declared.rows
    if filling is not None:
        return converted, partial.missing_rows(converted.rgb, name, None, filling)
    return converted, partial.missing_rows(converted.rgb, name, _otherwise(name, declared))


def _otherwise(name: str, declared: Declared) -> Image.Image | None:
    """The picture decoded with other filling bytes in place of the missing ones."""
    if declared.otherwise is None:
        return None
    with _opener(name)(io.BytesIO(declared.otherwise)) as image:
        image.load()
        return to_srgb(image).rgb


def _frame(name: str, declared: Declared, first: Converted, frames: int, limits: ImageLimits) -> Frame:
    """The frame to judge; `first` is already decoded."""
    whole = declared.body if name == "AVIF" and frames > 1 else declared.whole
    if whole is None or (declared.first_shown == 0 and says_enough(name, first.rgb)):
        return Frame(0, first)
    with _opener(name)(io.BytesIO(whole)) as image:
        return with_content(image, name, frames, declared.first_shown, limits) or Frame(0, first)


def _which(number: int, frames: int) -> str:
    if number <= 0:
        return f"first of {frames} frames"
    return f"frame {number + 1} of {frames}, the first with something to see"


def _opener(name: str) -> type[ImageFile.ImageFile]:
    """The reader of one format. Called directly, not through `Image.open`, so that no other format is tried."""
    if name != "HEIC":
        return _OPENERS[name]
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageRejectedError(
            "unsupported", "HEIC needs the optional part of dejafake: pip install 'dejafake[heic]'"
        ) from None
    opener: type[ImageFile.ImageFile] = HeifImageFile
    return opener


def _orientation_in(image: Image.Image) -> int:
    exif = image.info.get("exif", b"")
    return exif_orientation(exif.removeprefix(b"Exif\x00\x00")) or 1 if isinstance(exif, bytes) else 1


def _refusal(name: str, error: Exception) -> ImageRejectedError:
    """What a decoder's error means to the person who sent the file."""
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return ImageRejectedError(
            "too_many_pixels", f"the picture has more pixels than the {name} reader takes; make it smaller"
        )
    if isinstance(error, MemoryError):
        return ImageRejectedError("too_many_pixels", "decoding the picture needs more memory than there is")
    if partial.tells_of_early_end(error):
        return ImageRejectedError("truncated", "the file ends early; fetch it again")
    detail = " ".join(str(error).split())[:120] or type(error).__name__
    return ImageRejectedError("unreadable", f"the {name} file cannot be decoded ({detail}); convert or fetch it again")
