"""Tables as hands and scripts write them: odd separators, marks, numbers and paths cost nothing that can be read."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.imaging.limits import ImageLimits
from indexer.sources import SourceItem, SourceRejection, open_source
from indexer.sources.label_words import TABLE_ONLY, LabelWords
from indexer.sources.word_table import Meaning
from indexer.vocabulary import LabelValue


@pytest.mark.parametrize(
    "content",
    [
        b"path|label\na.png|fake\n",
        b"\xef\xbb\xbf\xef\xbb\xbfpath,label\na.png,fake\n",
        b"\xef\xbb\xbfsep=|\npath|label\na.png|fake\n",
        "path,label\na.png,fake\n".encode("utf-16-be"),
    ],
    ids=["bars", "two marks", "sep line behind a mark", "UTF-16 without a mark"],
)
def test_a_table_is_read_however_it_was_saved(content: bytes, plant: Callable[..., Path], limits: ImageLimits) -> None:
    folder = plant("a.png")
    (folder / "m.csv").write_bytes(content)
    (item,) = open_source(folder / "m.csv", limits)
    assert (item.location, item.value) == ("a.png", "fake")


def test_a_whole_number_without_end_costs_no_picture(plant: Callable[..., Path], limits: ImageLimits) -> None:
    folder = plant("a.png")
    (folder / "m.jsonl").write_text(f'{{"path": "a.png", "n": {"9" * 5_000}}}\n{{"path": }}\n', encoding="utf-8")
    item, broken = open_source(folder / "m.jsonl", limits)
    assert isinstance(item, SourceItem)
    assert item.fields == {"n": "9" * 5_000}
    assert isinstance(broken, SourceRejection)


def test_an_address_of_a_file_is_a_path_and_one_of_the_web_is_not(
    plant: Callable[..., Path], limits: ImageLimits, tmp_path: Path
) -> None:
    folder = plant("a b.png")
    where = (folder / "a b.png").as_posix()
    spelled = (f"file://{where}", f"FILE://localhost{where.replace(' ', '%20')}", where)
    refused = (
        "https://example.org/a.png",
        "s3://bucket/a.png",
        "file://elsewhere/a.png",
        "file://",
        "file:///etc/passwd",
    )
    (tmp_path / "m.csv").write_text("\n".join(("path", *spelled, *refused)), encoding="utf-8")
    found = list(open_source(tmp_path / "m.csv", limits, roots=[folder]))
    assert all(isinstance(one, SourceItem) and one.read() for one in found[:3])
    assert [one.message.partition("' ")[2][:20] for one in found[3:-1] if isinstance(one, SourceRejection)] == [
        *["is an address, and n"] * 2,
        *["is no path on this m"] * 2,
    ]
    confined = list(open_source(tmp_path / "m.csv", limits))
    assert all(isinstance(one, SourceRejection) for one in confined), "without a root nothing leads out"


@pytest.mark.parametrize("text", ["fake?", "AI-generated?", "authentic ?", "real？", "altered?, false", "fake (?)"])
def test_a_question_is_a_doubt_and_no_label(text: str) -> None:
    assert TABLE_ONLY.read(text).meaning is Meaning.NOT_IN_TABLE
    assert LabelWords.of((f"{text}=fake",)).read(text).value is LabelValue.FAKE


def test_a_question_and_its_word_are_two() -> None:
    assert TABLE_ONLY.read("1?", "is_fake").value is None
    assert TABLE_ONLY.read("1", "is_fake").value is LabelValue.FAKE
    assert [TABLE_ONLY.read(text).value for text in ("fake!", "authentic.")] == [LabelValue.FAKE, LabelValue.AUTHENTIC]
    assert LabelWords.of(("fake?=unknown",)).read("fake").value is LabelValue.FAKE


@pytest.mark.parametrize("name", ["t.tar", "t.tar.gz", "t.tar.xz", "t.tbz2"])
@pytest.mark.parametrize("packed", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_unpacked_by_its_bytes_whatever_its_name_says(
    name: str, packed: str, tmp_path: Path, limits: ImageLimits, photo: Callable[..., bytes]
) -> None:
    info = tarfile.TarInfo("a.png")
    info.size = len(photo())
    with tarfile.open(tmp_path / name, packed) as archive:  # type: ignore[call-overload]
        archive.addfile(info, io.BytesIO(photo()))
    (item,) = open_source(tmp_path / name, limits)
    assert item.read() == photo()
