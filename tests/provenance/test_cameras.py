"""EXIF: the camera, and a preview that shows something else than the picture."""

import io

import pytest
from PIL import Image

from indexer.provenance import Finding, read_provenance
from indexer.provenance.findings import Camera
from indexer.vocabulary import EvidenceKind, ProvenanceKind
from tests.made_pictures import encoded, scene
from tests.provenance.told_pictures import opened, png_with


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "EXAMPLE CORP", "E-1"
    exif[0x0131] = "Example Editor 4.2"
    shot = exif.get_ifd(0x8769)
    shot[0x9003], shot[0xA434], shot[0xA431] = "2026:03:04 05:06:07", "24-70mm", "1234"
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "S", (33.0, 51.0, 30.0)
    place[3], place[4] = "E", (151.0, 12.0, 0.0)
    return exif


def of_kind(data: bytes, kind: ProvenanceKind) -> list[Finding]:
    return [one for one in read_provenance(data).findings if one.kind is kind]


def test_the_camera_is_read_from_every_format_that_carries_exif() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
        (found,) = of_kind(encoded(scene(1), kind, exif=camera_exif()), ProvenanceKind.CAMERA)
        assert found.camera == Camera(
            "EXAMPLE CORP", "E-1", "24-70mm", "1234", "2026:03:04 05:06:07", "-33.858333, 151.200000"
        )
        assert found.made_with == "EXAMPLE CORP E-1"
        assert found.worth is EvidenceKind.SELF_DECLARED


def test_the_camera_is_read_behind_garbage_that_a_decoder_skips() -> None:
    jpeg = encoded(scene(1), "JPEG", exif=camera_exif())
    damaged = jpeg[:20] + b"garbage" + jpeg[20:]
    assert of_kind(damaged, ProvenanceKind.CAMERA) == of_kind(jpeg, ProvenanceKind.CAMERA) != []


def test_the_camera_is_read_from_a_tiff_and_its_software_named() -> None:
    data = encoded(scene(1), "TIFF", tiffinfo={0x010F: "EXAMPLE CORP", 0x0131: "Example Editor 4.2"})
    assert of_kind(data, ProvenanceKind.CAMERA)[0].made_with == "EXAMPLE CORP"
    assert of_kind(data, ProvenanceKind.SOFTWARE)[0].software == "Example Editor 4.2"


def with_preview(preview: Image.Image, picture: Image.Image, orientation: int | None = None) -> bytes:
    """A JPEG file of `picture` whose EXIF block carries `preview`."""
    small = io.BytesIO()
    preview.save(small, "JPEG", quality=80)
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    block = bytearray(exif.tobytes()) if orientation is not None else bytearray(b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    # the next-directory pointer of the first directory, which stands last in it
    entries = 1 if orientation is not None else 0
    big = block[6:8] == b"MM"
    order = "big" if big else "little"
    pointer = 6 + 8 + 2 + 12 * entries
    start = len(block) - 6
    block[pointer : pointer + 4] = start.to_bytes(4, order)
    at = start + 2 + 2 * 12 + 4
    directory = (2).to_bytes(2, order)
    for tag, value in ((513, at), (514, small.tell())):
        directory += tag.to_bytes(2, order) + (4).to_bytes(2, order) + (1).to_bytes(4, order) + value.to_bytes(4, order)
    return encoded(picture, "JPEG", exif=bytes(block) + directory + bytes(4) + small.getvalue())


def test_a_preview_of_another_picture_is_a_statistical_finding() -> None:
    (found,) = of_kind(with_preview(scene(2).resize((160, 120)), scene(1)), ProvenanceKind.THUMBNAIL)
    assert found.worth is EvidenceKind.STATISTICAL
    assert found.thumbnail is not None
    assert (found.thumbnail.width, found.thumbnail.height) == (160, 120)
    assert found.thumbnail.distance >= 64


def test_a_preview_of_the_uncropped_picture_gives_the_crop_away() -> None:
    whole = scene(1)
    cropped = whole.crop((0, 0, 240, 180))
    assert of_kind(with_preview(whole.resize((160, 120)), cropped), ProvenanceKind.THUMBNAIL)


def test_a_preview_of_the_same_picture_says_nothing() -> None:
    assert of_kind(with_preview(scene(1).resize((160, 120)), scene(1)), ProvenanceKind.THUMBNAIL) == []


def test_black_bars_and_a_turned_camera_are_no_difference() -> None:
    wide = scene(3, (640, 360))
    barred = Image.new("RGB", (160, 120))
    barred.paste(wide.resize((160, 90)), (0, 15))
    assert of_kind(with_preview(barred, wide), ProvenanceKind.THUMBNAIL) == []
    turned = with_preview(scene(1).resize((160, 120)), scene(1), orientation=6)
    assert of_kind(turned, ProvenanceKind.THUMBNAIL) == []


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_preview_is_turned_like_its_picture_mirrored_ones_too(orientation: int) -> None:
    data = with_preview(scene(1).resize((160, 120)), scene(1), orientation=orientation)
    assert of_kind(data, ProvenanceKind.THUMBNAIL) == []


def test_a_picture_already_decoded_is_not_decoded_again() -> None:
    data = with_preview(scene(2).resize((160, 120)), scene(1))
    assert read_provenance(data, picture=opened(encoded(scene(2)))).findings == ()


def test_software_in_a_png_text_is_listed() -> None:
    (found,) = of_kind(png_with({"Software": "Example Painter 2"}), ProvenanceKind.SOFTWARE)
    assert (found.software, found.made_with) == ("Example Painter 2", "Example Painter")
