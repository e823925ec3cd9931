"""Untrusted bytes to an upright 8-bit RGB picture, or one clear refusal. Nothing else decodes images in dejafake."""

import errno
import hashlib
import io
import os
import stat
import warnings
from dataclasses import dataclass
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
from indexer.imaging.colour import to_srgb
from indexer.imaging.limits import ImageLimits
from indexer.imaging.sniffing import sniff
from indexer.imaging.structure import Declared, read_structure
from indexer.imaging.structure.tiff import exif_orientation

# Pillow tells oddities of metadata through `warnings`, whose context manager is not safe in threads. Its own bomb
# warning is left as it is: the limits here come first.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.\w+ImagePlugin")

_OPENERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "GIF": GifImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "AVIF": AvifImageFile,
}

UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture of each EXIF orientation but 1 upright."""

_CUT_OFF = ("truncated", "incomplete", "premature", "end of file", "unexpected end", "not enough")


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A picture that passed all checks.

    `rgb` is upright, mode RGB, 8 bit, sRGB where a profile said how, without metadata; `width` and `height` are its
    own. `sha256` (64 hex digits) and `byte_size` are of the untouched bytes. `format` is one of JPEG, PNG, GIF, WEBP,
    BMP, TIFF, AVIF, HEIC, `mode` Pillow's word for the stored pixels, `frames` what the file declares (one is read),
    `notes` what was done to the picture, for a person; `alpha` the transparency it had (mode L, not turned upright),
    None where it had none.
    """

    rgb: Image.Image
    sha256: str
    byte_size: int
    format: str
    width: int
    height: int
    mode: str
    frames: int
    notes: tuple[str, ...]
    alpha: Image.Image | None = None


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
    """The picture in `data`; of an animation or a multi-page file the first.

    Size, frames and completeness are read from the file's structure and checked before any pixel is decoded. Thread
    safe. Peak memory is 8 to 16 bytes a pixel.

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
    try:
        declared = read_structure(name, data, limits)
        return _decode(name, data, declared, limits, sha256 or sha256_hex(data))
    except ImageRejectedError:
        raise
    except Exception as error:  # noqa: BLE001 - on hostile bytes Pillow raises almost anything
        raise _refusal(name, error) from None


def _decode(name: str, data: bytes, declared: Declared, limits: ImageLimits, sha256: str) -> DecodedImage:
    with _opener(name)(io.BytesIO(declared.body)) as image:
        limits.check_size(*image.size)
        frames = max(declared.frames, getattr(image, "n_frames", 1) if declared.size is None else 1)
        limits.check_frames(frames)
        mode = image.mode
        orientation = declared.orientation
        if name == "AVIF":
            orientation = _orientation_in(image)
        image.load()
        converted = to_srgb(image)
        rgb, changes = converted.rgb, converted.notes
    del image  # its pixels are not needed beside those of the picture and of the turned picture
    notes = list(declared.notes)
    if frames > 1:
        notes.append(f"first of {frames} frames")
    if orientation != 1:
        notes.append(f"turned upright by EXIF orientation {orientation}")
        if name != "TIFF":  # Pillow has turned it while loading
            rgb = rgb.transpose(UPRIGHT[orientation])
    if declared.depth > 8 and not any("reduced to 8-bit" in change for change in changes):
        notes.append(f"{declared.depth}-bit reduced to 8-bit")
    notes.extend(changes)
    return DecodedImage(
        rgb, sha256, len(data), name, rgb.width, rgb.height, mode, frames, tuple(notes), converted.alpha
    )


def _opener(name: str) -> type[ImageFile.ImageFile]:
    """The reader of one format. Called by itself, not through `Image.open`: no other format is ever tried."""
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
    if isinstance(error, EOFError) or any(word in str(error).lower() for word in _CUT_OFF):
        return ImageRejectedError("truncated", "the file ends early; fetch it again")
    detail = " ".join(str(error).split())[:120] or type(error).__name__
    return ImageRejectedError("unreadable", f"the {name} file cannot be decoded ({detail}); convert or fetch it again")
