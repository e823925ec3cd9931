"""Recognises a format by the first bytes, never by the file name."""

from indexer.errors import ImageRejectedError

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
    | {".avif", ".avifs", ".heic", ".heif", ".hif"}
)
"""File name endings of the formats accepted, lower case. A hint for collecting files; bytes decide."""

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})

_ACCEPTED = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
)

_REFUSED = (
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"\x00\x00\x02\x00", "cursor"),
    (b"qoif", "QOI"),
    (b"DDS ", "DirectDraw surface"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"SIMPLE  =", "FITS"),
    (b"gimp xcf", "GIMP"),
    (b"<svg", "SVG"),
    (b"\x8aMNG", "MNG"),
    (b"\x8bJNG", "JNG"),
    (b"icns", "icon"),
    (b"FORM", "IFF"),
    (b"\x1aE\xdf\xa3", "Matroska video"),
    (b"PK\x03\x04", "ZIP"),
)


def sniff(data: bytes) -> str:
    """The format of `data`: JPEG, PNG, GIF, TIFF, WEBP, BMP, AVIF or HEIC.

    Raises:
        ImageRejectedError: `unsupported` for a known format that is not accepted, `not_an_image` for anything else.
    """
    for magic, name in _ACCEPTED:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:2] == b"BM" and data[14:18] in {bytes((size, 0, 0, 0)) for size in (12, 40, 52, 56, 64, 108, 124)}:
        return "BMP"
    if data[4:8] == b"ftyp":
        return _sniff_boxes(data)
    for magic, name in _REFUSED:
        if data.startswith(magic):
            raise _unsupported(name)
    if data[:1] == b"P" and data[1:2] in b"1234567Ff" and data[2:3].isspace():
        raise _unsupported("PNM")
    if b"<svg" in data[:1024]:
        raise _unsupported("SVG")
    raise ImageRejectedError(
        "not_an_image", "the bytes are not a picture, whatever the name says; check where the file came from"
    )


def _sniff_boxes(data: bytes) -> str:
    """AVIF or HEIC, by the brands of the `ftyp` box; other brands are videos and the like."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "AVIF"
    if any(brand in _HEIC_BRANDS for brand in brands):
        return "HEIC"
    raise _unsupported("MP4 or other video")


def _unsupported(name: str) -> ImageRejectedError:
    return ImageRejectedError("unsupported", f"{name} files are not read; convert the picture to PNG or JPEG")
