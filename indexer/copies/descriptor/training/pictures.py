"""Pictures to learn from, shrunk once and kept in one memory-mapped file, so that a step reads no image file."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from indexer.errors import NotFoundError, UsageError

Pixels = npt.NDArray[np.uint8]

SIDE: Final = 320
"""The longer side of a kept picture, in pixels."""
_PIXELS, _TABLE = "pictures.bin", "pictures.json"
_SMALLEST, _LONGEST, _FLAT = 96, 4.0, 6.0
"""Left out: a shorter side of fewer pixels, a longer aspect, grey values with a smaller standard deviation."""
_TWIN: Final = 0.995
"""Cosine of two 12 x 12 grey thumbnails, above which two pictures count as one: a copy is no stranger."""
_THUMBNAIL: Final = 12


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of pictures. `most`: how many are used, spread evenly; `tiles`: a sheet of `tiles` x `tiles` pictures is
    cut into them; `manifest`: a CSV with `path`, of which only the rows count whose columns are as in `where`."""

    name: str
    folder: Path
    most: int
    tiles: int = 1
    manifest: Path | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def files(self) -> list[Path]:
        """Its image files in a fixed order.

        Raises:
            NotFoundError: the folder or the manifest is missing.
        """
        if not self.folder.is_dir():
            raise NotFoundError(f"{self.folder} is missing: fetch the pictures of {self.name}")
        if self.manifest is None:
            kinds = {".jpg", ".jpeg", ".png", ".webp"}
            files = sorted(path for path in self.folder.rglob("*") if path.suffix.lower() in kinds)
        else:
            files = [self.folder / row["path"] for row in self._rows()]
        if len(files) <= self.most:
            return files
        return [files[i] for i in np.linspace(0, len(files) - 1, self.most).astype(int)]

    def _rows(self) -> Iterator[dict[str, str]]:
        assert self.manifest is not None
        with self.manifest.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if all(row.get(column) in values for column, values in self.where):
                    yield row


def read_sources(path: Path) -> list[Source]:
    """The sources listed in a JSON file: a list of objects with the fields of `Source`, `where` an object of lists.

    Raises:
        UsageError: the file cannot be read as such a list.
    """
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return [
            Source(
                name=row["name"],
                folder=Path(row["folder"]),
                most=int(row.get("most", 1_000_000)),
                tiles=int(row.get("tiles", 1)),
                manifest=Path(row["manifest"]) if "manifest" in row else None,
                where=tuple((column, tuple(values)) for column, values in row.get("where", {}).items()),
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no list of sources: {error}") from None


class Pictures:
    """Pictures kept in a folder by `gather`, uint8 RGB [height, width, 3], the longer side at most 320."""

    def __init__(self, folder: Path) -> None:
        try:
            table = json.loads((folder / _TABLE).read_text(encoding="utf-8"))
            self._shapes: list[tuple[int, int]] = [(int(height), int(width)) for height, width in table["shapes"]]
            self.sources: list[str] = list(table["sources"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotFoundError(f"no pictures in {folder} ({error}): run `gather` first") from None
        sizes = [height * width * 3 for height, width in self._shapes]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._bytes = np.memmap(folder / _PIXELS, np.uint8, "r")
        if len(self._bytes) != self._starts[-1]:
            raise UsageError(f"{folder / _PIXELS} is not as long as its table says: run `gather` anew")

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, number: int) -> Pixels:
        height, width = self._shapes[number]
        data = self._bytes[self._starts[number] : self._starts[number + 1]]
        return np.asarray(data).reshape(height, width, 3)


def gather(sources: Iterable[Source], folder: Path, report: Callable[[str], None]) -> Pictures:
    """Shrinks the pictures of `sources` into `folder`, without near duplicates, flat, tiny and very long ones."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes: list[tuple[int, int]] = []
    names: list[str] = []
    thumbnails = np.zeros((1024, _THUMBNAIL**2), np.float32)
    part = folder / (_PIXELS + ".part")
    with part.open("wb") as file:
        for source in sources:
            before = len(shapes)
            for pixels in _pictures(source):
                thumbnail = _thumbnail(pixels)
                if thumbnail is None or (len(shapes) and (thumbnails[: len(shapes)] @ thumbnail).max() > _TWIN):
                    continue
                if len(shapes) == len(thumbnails):
                    thumbnails = np.concatenate([thumbnails, np.zeros_like(thumbnails)])
                thumbnails[len(shapes)] = thumbnail
                file.write(pixels.tobytes())
                shapes.append((pixels.shape[0], pixels.shape[1]))
                names.append(source.name)
            report(f"{source.name}: {len(shapes) - before} pictures")
    part.replace(folder / _PIXELS)
    (folder / _TABLE).write_text(json.dumps({"shapes": shapes, "sources": names}), encoding="utf-8")
    return Pictures(folder)


def read_small(path: Path) -> Pixels | None:
    """An upright picture on white, the longer side at most 640 pixels; None when it cannot be read."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (640, 640))
            upright = ImageOps.exif_transpose(image)
            if "A" in upright.getbands() or "transparency" in upright.info:
                clear = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
            upright = upright.convert("RGB")
            upright.thumbnail((640, 640), Image.Resampling.BILINEAR, reducing_gap=2.0)
            return np.asarray(upright, np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _pictures(source: Source) -> Iterator[Pixels]:
    """The usable pictures of a source, shrunk."""
    for path in source.files():
        whole = read_small(path)
        if whole is None:
            continue
        rows = np.array_split(whole, source.tiles, axis=0)
        for piece in (piece for row in rows for piece in np.array_split(row, source.tiles, axis=1)):
            height, width = piece.shape[:2]
            if min(height, width) < _SMALLEST or max(height, width) > _LONGEST * min(height, width):
                continue
            shrink = min(1.0, SIDE / max(height, width))
            size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
            yield np.asarray(cv2.resize(piece, size, interpolation=cv2.INTER_AREA), np.uint8)


def _thumbnail(pixels: Pixels) -> npt.NDArray[np.float32] | None:
    """A grey thumbnail as a unit vector without its mean; None when the picture is flat."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if grey.std() < _FLAT:
        return None
    small = cv2.resize(grey, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    length = float(np.linalg.norm(small))
    return small / length if length > 0 else None
