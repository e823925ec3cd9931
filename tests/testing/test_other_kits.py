"""Our runtimes, vector store and image writers pass the tests that those of somebody else's inherit."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TextIO

import numpy as np
import pytest
import torch

from indexer.detector import Detector, load_detector
from indexer.detector.runtimes import Outputs, Runtime
from indexer.detector.runtimes.onednn import OneDnnRuntime
from indexer.exchange.export import _JsonLines, _Table
from indexer.exchange.misp import EventWriter
from indexer.exchange.reviews.writing import ReviewWriter
from indexer.index.vectors import SnapshotFolder, SnapshotPlan, VectorStore
from indexer.settings import Settings
from indexer.testing import ImageWriterTests, RuntimeTests, VectorStoreTests
from indexer.testing.image_writers import MakeWriter, Read
from tests.tiny_detectors import tiny_detector


def test_the_kits_import_neither_pytest_nor_torch() -> None:
    program = "import sys, indexer.testing; assert not {'pytest', 'torch'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class _Eager:
    """The network with hooks, as a runtime."""

    name, precision = "eager", "fp32"

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def infer(self, batch: torch.Tensor) -> Outputs:
        output = self._detector.run(batch)
        return Outputs(torch.from_numpy(output.logits), torch.from_numpy(output.cls))


@pytest.fixture(scope="module")
def eager(tmp_path_factory: pytest.TempPathFactory) -> _Eager:
    folder = tmp_path_factory.mktemp("runtimes")
    tiny_detector(folder / "tiny", seed=3)
    settings = Settings.load(home=folder / "home", detector=str(folder / "tiny"), precision="fp32", runtime="eager")
    return _Eager(load_detector(settings))


class TestOneDnn(RuntimeTests):
    @pytest.fixture
    def reference(self, eager: _Eager) -> Runtime:
        return eager

    @pytest.fixture
    def runtime(self, eager: _Eager) -> Runtime:
        return OneDnnRuntime(eager._detector._network.model, "fp32", 2)


class TestTheVectorStore(VectorStoreTests):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return VectorStore.open(SnapshotFolder(tmp_path, "a" * 64, 384), threads=1)


class TestTheVectorStoreOnASnapshot(VectorStoreTests):
    """What is in the store lies in a main index, of which all was deleted."""

    dimension = 16

    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        folder = SnapshotFolder(tmp_path, "a" * 64, 16)
        first = VectorStore.open(folder, threads=1)
        first.add(np.arange(5), self._vectors(5, seed=7), 0)
        with folder.lock(wait=True):
            first.write_snapshot(SnapshotPlan(exact_max=1_000, threads=1))
        opened = VectorStore.open(folder, threads=1)
        opened.delete(np.arange(5), 0)
        return opened


class TestJsonLines(ImageWriterTests):
    @pytest.fixture
    def writer(self) -> MakeWriter:
        return _JsonLines

    @pytest.fixture
    def digests(self) -> Read:
        return lambda text: [json.loads(line)["sha256"] for line in text.split("\n") if line]


class TestCsv(ImageWriterTests):
    @pytest.fixture
    def writer(self) -> MakeWriter:
        return _Table

    @pytest.fixture
    def digests(self) -> Read:
        return lambda text: [row["sha256"] for row in csv.DictReader(StringIO(text, newline=""))]


class TestMediaReview(ImageWriterTests):
    @pytest.fixture
    def writer(self) -> MakeWriter:
        return lambda stream: ReviewWriter(stream, None)

    @pytest.fixture
    def digests(self) -> Read:
        prefix = "urn:dejafake:media-review:"
        return lambda text: [*_ids(json.loads(text), prefix)]


class TestMisp(ImageWriterTests):
    @pytest.fixture
    def writer(self) -> MakeWriter:
        return EventWriter

    @pytest.fixture
    def digests(self) -> Read:
        def read(text: str) -> list[str]:
            attributes = [one for made in json.loads(text)["Event"]["Object"] for one in made["Attribute"]]
            return [one["value"] for one in attributes if one["type"] == "sha256"]

        return read


def _ids(part: object, prefix: str) -> Iterator[str]:
    """What follows `prefix` in the ids of a document, in its order."""
    if isinstance(part, dict) and str(part.get("@id", "")).startswith(prefix) and len(part) > 1:
        yield str(part["@id"]).removeprefix(prefix)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _ids(inner, prefix)


class _Forgetful:
    """A writer that forgets the last image, and never ends its list."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._last = stream, ""

    def write(self, details: SimpleNamespace) -> None:
        self._stream.write(self._last)
        self._last = f"{details.image.sha256}\n"

    def finish(self) -> None:
        """Nothing."""


def test_a_writer_that_loses_an_image_fails() -> None:
    with pytest.raises(AssertionError):
        ImageWriterTests().test_every_image_is_in_it_once_in_order(_Forgetful, str.split)  # type: ignore[arg-type]
