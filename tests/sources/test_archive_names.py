"""Whatever lies in an archive is added, rejected or counted as passed over, and old names are read as their bytes."""

import io
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.imaging.limits import ImageLimits
from indexer.sources import SourceItem, SourceRejection, SourceSkip, open_source
from indexer.vocabulary import LabelValue

Photo = Callable[..., bytes]


def zip_of_windows(path: Path, members: list[tuple[bytes, bytes]]) -> Path:
    """A zip archive whose names are just bytes, as old Windows wrote them."""
    body = directory = b""
    for name, data in members:
        facts = (zlib.crc32(data), len(data), len(data), len(name))
        head = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x5A21, *facts, 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += b"PK\x03\x04" + head + name + data
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\x05\x06" + end)
    return path


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("big5", ["成功.png", "照片.png", "許.png", "假的/照片.png"]),
        ("cp932", ["fake/表.png", "fake/写真.png", "fake/ソ.png"]),
        ("gbk", ["图片/照片.png", "新闻.png"]),
        ("cp949", ["사진.png", "가짜/뉴스.png"]),
        ("utf-8", ["Müller.png", "表.png"]),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_of_east_asian_windows_lose_no_picture(
    kind: str, encoding: str, names: list[str], tmp_path: Path, photo: Photo, limits: ImageLimits
) -> None:
    raw = [name.encode(encoding) for name in names]
    path = tmp_path / f"old.{kind}"
    if kind == "zip":
        zip_of_windows(path, [(name, photo(at)) for at, name in enumerate(raw)])
    else:
        with tarfile.open(path, "w") as archive:
            for at, name in enumerate(raw):
                info = tarfile.TarInfo(name.decode("utf-8", "surrogateescape"))
                info.size = len(photo(at))
                archive.addfile(info, io.BytesIO(photo(at)))
    found = list(open_source(path, limits))
    assert all(isinstance(item, SourceItem) and item.read() == photo(at) for at, item in enumerate(found))
    assert [item.location for item in found] == names


def test_a_name_in_no_encoding_and_one_with_backslashes_keep_their_pictures(
    tmp_path: Path, photo: Photo, limits: ImageLimits
) -> None:
    path = zip_of_windows(tmp_path / "odd.zip", [(b"\xff\x5c.png", photo(0)), (b"fake\\a.png", photo(1))])
    odd, separated = open_source(path, limits)
    assert isinstance(odd, SourceItem)
    assert isinstance(separated, SourceItem)
    assert odd.read() == photo(0)
    assert (separated.location, separated.value) == ("fake/a.png", LabelValue.FAKE)


ODD_MEMBERS = {
    "folder/": b"",
    ".hidden.png": b"words",
    "__MACOSX/._a.png": b"words",
    "notes.txt": b"words",
    "empty": b"",
    "inner.zip": b"PK\x03\x04",
    "more/inner.tar.gz": b"\x1f\x8b",
    "list.csv": b"path,label\n",
    "book.xlsx": b"PK\x03\x04",
    "clip.mp4": b"\0\0\0\x18ftypmp42",
}
COUNTED = {"folder": 1, "hidden": 2, "not_a_picture": 1, "empty": 1, "nested_archive": 2, "table": 2, "video": 1}


@pytest.mark.parametrize("name", ["z.zip", "t.tar", "t.tar.gz"])
def test_nothing_in_an_archive_vanishes_uncounted(name: str, tmp_path: Path, photo: Photo, limits: ImageLimits) -> None:
    path, pictures = (
        tmp_path / name,
        [("a.png", photo(0)), ("a.png", photo(1)), ("bad.png", b"words"), ("zero.png", b"")],
    )
    if name == "z.zip":
        with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a name that stands twice is what is tested
            for member, data in [*ODD_MEMBERS.items(), *pictures]:
                archive.writestr(member, data)
    else:
        with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as packed:
            for member, data in [*ODD_MEMBERS.items(), *pictures]:
                info = tarfile.TarInfo(member.rstrip("/"))
                info.size, info.type = len(data), tarfile.DIRTYPE if member.endswith("/") else tarfile.REGTYPE
                packed.addfile(info, io.BytesIO(data))
            link = tarfile.TarInfo("link.png")
            link.type, link.linkname = tarfile.SYMTYPE, "a.png"
            packed.addfile(link)
    found = list(open_source(path, limits))
    skipped = Counter(one.reason for one in found if isinstance(one, SourceSkip))
    assert skipped == COUNTED
    items = [one.location for one in found if isinstance(one, SourceItem)]
    assert items == ["a.png", "a.png", "bad.png", "zero.png"]
    rejected = [one.reason for one in found if isinstance(one, SourceRejection)]
    assert rejected == ([] if name == "z.zip" else ["unsupported"])


def test_an_archive_that_is_given_up_counts_what_is_left(
    tmp_path: Path, photo: Photo, limits: ImageLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.sources.archives.zipped.unpacked_budget", lambda path: len(photo(0)))
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for at in range(5):
            archive.writestr(f"{at}.png", photo(0))
    item, bomb, *left = open_source(tmp_path / "z.zip", limits)
    assert isinstance(item, SourceItem)
    assert isinstance(bomb, SourceRejection)
    assert [one.reason for one in left if isinstance(one, SourceSkip)] == ["not_read"] * 3
