"""What a format of an export promises: every image once, the same bytes again, nothing broken by what is in it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from io import StringIO
from typing import TextIO

from indexer.catalog.records.detections import Detection
from indexer.catalog.records.images import Image, ImageDetails
from indexer.catalog.records.labels import CurrentLabel, Label
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.catalog.records.sources import Source
from indexer.exchange.export import ImageWriter
from indexer.sightings import Sighting
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, ProvenanceKind, Technique

MakeWriter = Callable[[TextIO], ImageWriter]
Read = Callable[[str], Sequence[str]]

_WHEN = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_HOSTILE = '=cmd|"/c calc"!A1,\r\n"},]<script>&amp;\u2028\U0001f600'
"""What outsiders may write into a caption: a formula, the ends of several formats, a character of two halves."""


class ImageWriterTests:
    """Inherit, and give the fixtures `writer`, which makes one on a text stream (opened with `newline=""`), and
    `digests`, which reads the SHA-256 of every image out of what was written, in the order written, as a consumer of
    the format would: with its parser."""

    def test_every_image_is_in_it_once_in_order(self, writer: MakeWriter, digests: Read) -> None:
        images = [example_image(number) for number in range(5)]
        assert list(digests(self._written(writer, images))) == [details.image.sha256 for details in images]

    def test_an_export_of_nothing_is_a_whole_file(self, writer: MakeWriter, digests: Read) -> None:
        assert not list(digests(self._written(writer, [])))

    def test_an_image_of_which_little_is_known_is_written(self, writer: MakeWriter, digests: Read) -> None:
        bare = example_image(1, full=False)
        assert list(digests(self._written(writer, [bare]))) == [bare.image.sha256]

    def test_what_outsiders_wrote_breaks_nothing(self, writer: MakeWriter, digests: Read) -> None:
        images = [example_image(1), example_image(2, text=_HOSTILE), example_image(3)]
        assert list(digests(self._written(writer, images))) == [details.image.sha256 for details in images]

    def test_the_same_images_give_the_same_bytes(self, writer: MakeWriter) -> None:
        images = [example_image(number) for number in range(3)]
        assert self._written(writer, images) == self._written(writer, images), "a file must not tell when it was made"

    def test_it_is_text_that_any_system_reads(self, writer: MakeWriter) -> None:
        text = self._written(writer, [example_image(1, text=_HOSTILE)])
        assert text.encode("utf-8").decode("utf-8") == text

    @staticmethod
    def _written(writer: MakeWriter, images: Sequence[ImageDetails]) -> str:
        stream = StringIO(newline="")
        image_writer = writer(stream)
        for details in images:
            image_writer.write(details)
        image_writer.finish()
        return stream.getvalue()


def example_image(number: int, *, text: str = "a caption", full: bool = True) -> ImageDetails:
    """An image as the catalogue gives it; `full` with one of everything, and `text` wherever outsiders write."""
    digest = sha256(str(number).encode()).hexdigest()
    fake = LabelValue.FAKE if full else LabelValue.UNKNOWN
    label = CurrentLabel(
        fake,
        Technique.SPLICE if full else Technique.UNKNOWN,
        text if full else None,
        disputed=False,
        source_kind=LabelSource.HUMAN if full else None,
        source=text if full else None,
    )
    image = Image(digest, 1_000, "JPEG", 640, 480, "RGB", 1, (), digest, 90, "reference", label, _WHEN, 80)
    if not full:
        return ImageDetails(image, (), (), (), (), (), (), (), None)
    url = f"https://example.org/{number}"
    return ImageDetails(
        image,
        labels=(Label(fake, Technique.SPLICE, text, LabelSource.HUMAN, text, text, _WHEN),),
        sightings=(Sighting(url, None, text, text, _WHEN, text, "en", text, recorded_at=_WHEN),),
        collections=(text,),
        campaigns=(),
        detections=(Detection("example", "f" * 64, True, (0.5,), 0.625, _WHEN),),
        sources=(Source(text, text, {text: text}),),
        provenance=(ProvenanceFinding(ProvenanceKind.SOFTWARE, EvidenceKind.SELF_DECLARED, text, made_with=text),),
        provenance_read_at=_WHEN,
    )
