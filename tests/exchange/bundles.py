"""Writing and reading bundles of a catalogue in tests."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexer.catalog import Catalog
from indexer.catalog.records.filters import ImageFilter
from indexer.detector.bundled import SPEC
from indexer.exchange import export_images
from indexer.exchange.bundle import BundleImport, export_bundle, import_bundle, open_bundle
from indexer.exchange.bundle.importing import Destination
from indexer.exchange.bundle.layout import BundledDetector
from indexer.files.media import MediaStore
from indexer.imaging.limits import ImageLimits
from tests.exchange.filled_catalogue import FINGERPRINT

DETECTOR = BundledDetector(name="small", fingerprint=FINGERPRINT)
Change = Callable[[dict[str, bytes]], None]


def write(catalog: Catalog, path: Path, **options: Any) -> Path:
    export_bundle(catalog, options.pop("selection", ImageFilter()), DETECTOR, path, **options)
    return path


def destination(catalog: Catalog, folder: Path, fingerprint: str = FINGERPRINT) -> Destination:
    limits = ImageLimits(2**26, 100_000_000, 2_000)
    return Destination(catalog, SPEC, fingerprint, MediaStore(folder / "thumbnails"), 320, limits)


def read(path: Path, catalog: Catalog, folder: Path | None = None, **options: Any) -> BundleImport:
    with open_bundle(path) as bundle:
        return import_bundle(bundle, "spring.dejafake", destination(catalog, folder or path.parent, **options))


def everything(catalog: Catalog) -> str:
    stream = io.StringIO(newline="")
    export_images(catalog, ImageFilter(), "jsonl", stream)
    return stream.getvalue()


@contextmanager
def changed(path: Path, change: Change, *, seal: bool = True) -> Iterator[Path]:
    """A copy of a bundle with other members; `seal`: with a manifest that fits them."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if seal:
        manifest = json.loads(members["manifest.json"])
        manifest["members"] = [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in members.items()
            if name != "manifest.json"
        ]
        members["manifest.json"] = json.dumps(manifest).encode()
    other = path.with_name("changed")
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    yield other


def edited(old: bytes, new: bytes, name: str = "images/00000.jsonl") -> Change:
    def change(members: dict[str, bytes]) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new)

    return change
