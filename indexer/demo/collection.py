"""Makes the demo collection: a folder of pictures with a manifest, and pictures to search with that are not in it.

Everything is made here from the photographs of `indexer.demo.photographs`; the sightings are made up and say so. The
same versions of the packages give the same bytes.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from io import BytesIO
from pathlib import Path

from PIL import Image

from indexer.demo.fakes import FAKES, Fake
from indexer.demo.photographs import PHOTOGRAPHS, Photograph
from indexer.demo.sightings import MADE_UP, made_up_sighting
from indexer.imaging.alterations import apply
from indexer.sightings import SIGHTING_FIELDS, NewSighting
from indexer.vocabulary import LabelValue

AUTHENTIC = ("astronaut", "chelsea", "coins", "hubble", "ihc", "retina", "gravel")
UNLABELLED = ("brick", "grass")
UNKNOWN = "camera"
"""The photograph that is in no manifest: what a search with something never seen says."""

_SMALL_EDIT = "swollen-face"
"""A fake so near to its photograph, which is in the collection too, that PDQ cannot tell them apart."""

_COPIES = (("jpeg50",), ("downscale60",), ("colour_shift",), ("downscale60", "jpeg50"))
_ROUGH_COPIES = ("crop5", "caption_bar", "screenshot_border", "mirror")
_README = """\
# A made-up collection

dejafake made this folder for its demo. The fakes were made in code, with OpenCV, from photographs that the Python
packages scikit-image and scikit-learn carry. **Every sighting, account, caption, claim and address in `manifest.csv`
is made up**; the addresses are under example.org, which is set aside for examples. The pictures in `queries` are not in
the manifest.

| photograph | shows | by | licence |
|---|---|---|---|
{rows}
"""


@dataclass(frozen=True, slots=True)
class DemoQuery:
    """A picture to search with that is not in the collection; `what` says for a person what it is."""

    path: Path
    what: str


@dataclass(frozen=True, slots=True)
class DemoCollection:
    """A collection on disk. `pictures` counts the rows of the manifest."""

    manifest: Path
    queries: tuple[DemoQuery, ...]
    pictures: int


_UNSEEN = NewSighting()


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the manifest; the last three columns are of the demo's own."""

    path: str
    label: str = ""
    technique: str = ""
    generator: str = ""
    reason: str = ""
    collection: str = "demo"
    sighting: NewSighting = _UNSEEN
    made_from: str = ""
    alteration: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class _Made:
    """A fake and the picture it is."""

    fake: Fake
    picture: Image.Image


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture to write, and its row."""

    row: _Row
    data: bytes


def make_collection(
    folder: Path,
    fakes: Sequence[Fake] = FAKES,
    observe: Callable[[int], None] | None = None,
    *,
    most: int | None = None,
) -> DemoCollection:
    """Makes the collection in `folder`: `pictures/`, `queries/`, `manifest.csv` and a `README.md` with the credits.

    What is there of an earlier run is overwritten with the same bytes. `observe` hears 1 for every picture written.
    `most`: only the first so many fakes, at least 2.

    Raises:
        DejafakeError: a package does not carry its photographs.
        OSError: the folder cannot be written.
    """
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    pictured = [_Made(fake, fake.picture()) for fake in fakes[:most]]
    rows = []
    for picture in _all_pictures(pictured):
        (folder / picture.row.path).write_bytes(picture.data)
        rows.append(picture.row)
        if observe is not None:
            observe(1)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_columns(_Row("")))
        writer.writerows(_columns(row).values() for row in rows)
    (folder / "README.md").write_text(_readme(), encoding="utf-8")
    return DemoCollection(manifest, _write_queries(folder / "queries", pictured), len(rows))


def count_pictures(fakes: Sequence[Fake] = FAKES) -> int:
    """How many pictures `make_collection` puts into the manifest."""
    return len(fakes) * (len(_COPIES) + 2) + 1 + 2 * len(AUTHENTIC) + len(UNLABELLED)


def _all_pictures(pictured: Sequence[_Made]) -> Iterator[_Picture]:
    serial = 0
    for order, fake in enumerate(pictured):
        chains: tuple[tuple[str, ...], ...] = ((), *_COPIES, (_ROUGH_COPIES[order % len(_ROUGH_COPIES)],))
        for chain in chains:
            yield _fake_copy(fake, chain, made_up_sighting(serial, order, fake.fake.claim))
            serial += 1
    yield _unlabelled_copy(pictured[1])
    for order, name in enumerate(AUTHENTIC):
        photograph = PHOTOGRAPHS[name]
        yield _untouched(photograph, LabelValue.AUTHENTIC.value)
        alteration = _COPIES[order % 3][0]
        sighting = made_up_sighting(serial, order, f"A photograph of {photograph.shows}")
        yield _authentic_copy(photograph, alteration, sighting)
        serial += 1
    for name in UNLABELLED:
        yield _untouched(PHOTOGRAPHS[name], "")


def _fake_copy(original: _Made, chain: tuple[str, ...], sighting: NewSighting) -> _Picture:
    fake, suffix = original.fake, "-".join(chain) or "first-upload"
    row = _Row(
        path=f"pictures/{fake.name}-{suffix}.jpg",
        label=LabelValue.FAKE.value,
        technique=fake.technique.value,
        generator=fake.generator,
        reason="dejafake made this fake itself, for its demo",
        sighting=sighting,
        made_from=" and ".join(fake.of),
        alteration=" then ".join(chain),
        licence="; ".join(PHOTOGRAPHS[name].licence for name in fake.of),
    )
    return _Picture(row, _altered(original.picture, chain))


def _unlabelled_copy(original: _Made) -> _Picture:
    """A copy of a fake that nobody has labelled, as a new upload would be."""
    row = _Row(path=f"pictures/{original.fake.name}-nobody-labelled-this.jpg", made_from=" and ".join(original.fake.of))
    return _Picture(row, _altered(original.picture, ("colour_shift", "jpeg50"), seed=7))


def _untouched(photograph: Photograph, label: str) -> _Picture:
    suffix = Path(photograph.path).suffix
    row = _Row(
        path=f"pictures/photograph-{photograph.name}{suffix}",
        label=label,
        reason=f"the photograph as {photograph.package.partition('.')[0]} carries it" if label else "",
        made_from=photograph.name,
        licence=photograph.licence,
    )
    return _Picture(row, photograph.read())


def _authentic_copy(photograph: Photograph, alteration: str, sighting: NewSighting) -> _Picture:
    row = _Row(
        path=f"pictures/photograph-{photograph.name}-{alteration}.jpg",
        label=LabelValue.AUTHENTIC.value,
        reason="a re-shared copy; only compression, size or colours differ",
        sighting=sighting,
        made_from=photograph.name,
        alteration=alteration,
        licence=photograph.licence,
    )
    return _Picture(row, _altered(photograph.rgb(), (alteration,)))


def _write_queries(folder: Path, pictured: Sequence[_Made]) -> tuple[DemoQuery, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    queries = []

    def add(what: str, picture: Image.Image, chain: tuple[str, ...]) -> None:
        path = folder / f"{what.replace(',', '').replace(' ', '-')}.jpg"
        path.write_bytes(_altered(picture, chain, seed=11))
        queries.append(DemoQuery(path, what))

    add("fake, filtered and shrunk", pictured[0].picture, ("colour_shift", "downscale60", "jpeg50"))
    add("fake, mirrored", pictured[len(pictured) // 2].picture, ("mirror",))
    add("fake, shrunk to a third", pictured[-1].picture, ("downscale60", "downscale60"))
    add("fake, cropped to two thirds", _cropped(pictured[0].picture), ("jpeg50",))
    add("fake, cropped and mirrored", _cropped(pictured[0].picture), ("mirror", "colour_shift"))
    add("fake, with a caption", pictured[0].picture, ("caption_bar",))
    add("fake, in a screenshot", pictured[0].picture, ("screenshot_border", "downscale60"))
    for small_edit in (original for original in pictured if original.fake.name == _SMALL_EDIT):
        add("small edit of a known photo", small_edit.picture, ("colour_shift", "jpeg50"))
    add("authentic photo, re-shared", PHOTOGRAPHS["hubble"].rgb(), ("downscale60", "jpeg50"))
    add("photo never seen", PHOTOGRAPHS[UNKNOWN].rgb(), ("jpeg50",))
    return tuple(queries)


def _cropped(picture: Image.Image) -> Image.Image:
    """Two thirds of the width and of the height, off the middle."""
    width, height = picture.size
    left, top = width // 10, height // 5
    return picture.crop((left, top, left + 2 * width // 3, top + 2 * height // 3))


def _altered(picture: Image.Image, chain: tuple[str, ...], seed: int = 0) -> bytes:
    """The picture after one alteration after the other, each saved and opened again; none: a good JPEG."""
    data = BytesIO()
    picture.save(data, "JPEG", quality=95)
    if not chain:
        return data.getvalue()
    for step, alteration in enumerate(chain):
        encoded = apply(alteration, picture, seed=seed + step)
        picture = Image.open(BytesIO(encoded)).convert("RGB")
    return encoded


def _columns(row: _Row) -> dict[str, str]:
    """The cells of a row by their columns: those of the sighting stand where the sighting is."""
    cells: dict[str, str] = {}
    for field in fields(row):
        if field.name == "sighting":
            cells |= {name: _cell(getattr(row.sighting, name)) for name in SIGHTING_FIELDS}
        else:
            cells[field.name] = getattr(row, field.name)
    return cells


def _cell(value: str | datetime | None) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value or ""


def _readme() -> str:
    rows = "\n".join(f"| {p.name} | {p.shows} | {p.credit} | {p.licence} |" for p in PHOTOGRAPHS.values())
    return f"{_README.format(rows=rows)}\n{MADE_UP}\n"
