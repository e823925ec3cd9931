"""What an ingest keeps of a picture so that its copies are found: a copy embedding, and local features."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import delete

from indexer.arrays import Floats, Vectors
from indexer.catalog.copies import coverage, local_features
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.images import images
from indexer.catalog.tables.copies import LocalFeaturesRow
from indexer.copies.features import FEATURES_FINGERPRINT, unpack
from indexer.imaging.decoding import sha256_hex
from indexer.ingest.pipeline import Ingest
from indexer.ingest.report import IngestOptions
from indexer.settings import Settings
from indexer.sources import SourceItem
from indexer.workspace import Workspace
from tests.made_pictures import encoded, scene


@dataclass(frozen=True)
class AveragesSpec:
    name: str = "averages"
    dimension: int = 48

    def as_json(self) -> dict[str, Any]:
        return {}


class Averages:
    """A copy descriptor that needs no weights: what 4 x 4 parts of a picture look like."""

    spec = AveragesSpec()
    fingerprint = "a" * 64

    def prepare(self, rgb: Image.Image) -> Floats:
        return np.asarray(rgb.resize((4, 4), Image.Resampling.BOX), np.float32).transpose(2, 0, 1) + 1

    def run(self, batch: Floats) -> Vectors:
        flat = batch.reshape(len(batch), -1)
        unit: Vectors = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        return unit


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    settings = Settings.load(home=tmp_path / "home", batch_size=2, copy_descriptor="off")
    with Workspace(settings) as opened:
        yield opened


def ingest(workspace: Workspace, *pictures: bytes, descriptor: Averages | None = None) -> None:
    Ingest(
        workspace.catalog,
        workspace.detector(),
        workspace.originals,
        workspace.thumbnails,
        workspace.settings,
        IngestOptions(),
        descriptor=descriptor,
    ).run([SourceItem("list", f"{at}.png", lambda data=data: data) for at, data in enumerate(pictures)])


def kept(workspace: Workspace, picture: bytes) -> tuple[Floats | None, bytes | None]:
    """The copy embedding and the packed features of a picture."""
    with workspace.catalog.reading() as session:
        (image_id,) = images.find_ids(session, [sha256_hex(picture)]).values()
        vectors = copy_embeddings.vectors(session, Averages.fingerprint, [image_id])
        return vectors.get(image_id), local_features.of(session, FEATURES_FINGERPRINT, [image_id]).get(image_id)


def test_a_new_picture_is_described_and_its_features_taken(workspace: Workspace) -> None:
    pictures = [encoded(scene(number), "PNG") for number in range(3)]
    ingest(workspace, *pictures, descriptor=Averages())
    for number, picture in enumerate(pictures):
        vector, codes = kept(workspace, picture)
        assert vector is not None
        assert codes is not None
        np.testing.assert_array_equal(vector, Averages().run(Averages().prepare(scene(number))[None])[0])
        features = unpack(codes)
        assert features.size == scene(number).size
        assert len(features) > 20


def test_a_picture_with_too_little_in_it_has_no_features_and_is_not_looked_at_again(workspace: Workspace) -> None:
    flat = encoded(Image.new("RGB", (64, 64), (10, 200, 30)), "PNG")
    ingest(workspace, flat)
    assert kept(workspace, flat) == (None, None)
    with workspace.catalog.reading() as session:
        assert coverage.count_lacking(session, None, FEATURES_FINGERPRINT) == 0


def test_an_image_that_lacks_them_takes_both_when_it_is_ingested_again(workspace: Workspace) -> None:
    picture, other = encoded(scene(1), "PNG"), encoded(scene(2), "PNG")
    ingest(workspace, picture)
    vector, codes = kept(workspace, picture)
    assert vector is None
    with workspace.catalog.writing() as session:
        session.execute(delete(LocalFeaturesRow))
    ingest(workspace, picture, other, picture, descriptor=Averages())
    vector, again = kept(workspace, picture)
    assert vector is not None
    assert again == codes


def test_local_features_can_be_turned_off(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path / "home", copy_descriptor="off", local_features=False)
    with Workspace(settings) as workspace:
        picture = encoded(scene(1), "PNG")
        ingest(workspace, picture)
        ingest(workspace, picture)
        assert kept(workspace, picture) == (None, None)
