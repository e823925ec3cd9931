"""How old_home.zip was made: with the code of commit 03aab8e, the last that took PDQ hashes of 512 x 512 copies.

In a checkout of that commit, with this file beside its tests: `PYTHONPATH=tests python make_old_home.py old_home.zip`.
It is not run by the tests, and does not run on newer code.
"""

import io
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from indexer.campaigns import cluster
from indexer.catalog import hash_lists
from indexer.catalog.watches import watches
from indexer.imaging.decoding import decode
from indexer.imaging.hashing import pdq_hash
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.settings import Settings
from indexer.sources import SightingClaim, SourceItem
from indexer.vocabulary import HashAlgorithm, LabelValue, Technique
from indexer.watching.pictures import picture_of_known
from indexer.workspace import Workspace
from tests.made_pictures import scene
from tests.tiny_detectors import tiny_detector

SIZES = [(256, 256), (250, 250), (384, 288), (300, 400), (640, 480), (256, 192), (720, 480), (420, 420), (200, 150)]
KEPT = range(6)
"""Of these pictures the original is kept; the others were ingested with --no-keep-originals."""


def jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def items(data: dict[str, bytes], numbers: list[int]) -> list[SourceItem]:
    return [
        SourceItem(
            "desk.csv",
            f"{number}.jpg",
            lambda number=number: data[f"{number}.jpg"],
            technique=Technique.TEXT_TO_IMAGE,
            generator="model-a" if number < 4 else None,
            sighting=SightingClaim(
                url=f"https://example.org/post/{number}",
                platform="example-social",
                posted_at=datetime(2026, 3, 1 + number, tzinfo=UTC),
            ),
        )
        for number in numbers
    ]


def main(target: Path) -> None:
    data = {f"{number}.jpg": jpeg(scene(number, size), 45) for number, size in enumerate(SIZES)}
    # copies of picture 0, so that there is a campaign
    data["small.jpg"] = jpeg(scene(0, SIZES[0]).resize((128, 128)), 45)
    data["copy.jpg"] = jpeg(scene(0, SIZES[0]).resize((200, 200)), 45)
    data["listed.jpg"] = jpeg(scene(20, (256, 256)), 45)
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        detector = tiny_detector(Path(temporary) / "detector", seed=1, trained=False)

        def opened(*, keep: bool) -> Workspace:
            return Workspace(Settings.load(home=home, detector=str(detector), keep_originals=keep, precision="fp32"))

        fakes = IngestOptions(label=LabelValue.FAKE, stated_by="desk one", collections=("spring",))
        real = IngestOptions(label=LabelValue.AUTHENTIC, stated_by="desk one")
        with opened(keep=True) as workspace:
            workspace.ingest(fakes).run(items(data, [0, 1, 2, 3]))
            workspace.ingest(real).run(items(data, [4, 5]))
            copies = [SourceItem("desk.csv", name, lambda name=name: data[name]) for name in ("copy.jpg", "small.jpg")]
            workspace.ingest(fakes).run(copies)
        with opened(keep=False) as workspace:
            workspace.ingest(fakes).run(items(data, [6, 7]))
            workspace.ingest(real).run(items(data, [8]))
        with opened(keep=True) as workspace:
            cluster(workspace.catalog, workspace.index, workspace.settings)
            limits = ImageLimits.from_settings(workspace.settings)
            sha256 = decode(data["1.jpg"], limits).sha256
            watched = picture_of_known(workspace, sha256)
            listed = pdq_hash(decode(data["listed.jpg"], limits).rgb)
            with workspace.catalog.writing() as session:
                watches.add_picture(session, "picture 1", watched, most=10)
                hash_lists.add(session, "Example Exchange", LabelValue.FAKE, [(HashAlgorithm.PDQ, listed.bits)])
        with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
            for path in sorted(home.rglob("*")):
                if path.is_file() and path.suffix != ".lock" and not {"index", "thumbnails"} & set(path.parts):
                    archive.write(path, "home/" + path.relative_to(home).as_posix())
            for name in ("6.jpg", "7.jpg", "8.jpg", "listed.jpg"):
                archive.writestr(f"pictures/{name}", data[name])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
