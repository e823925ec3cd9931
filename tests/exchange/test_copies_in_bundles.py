"""Bundles carry what copies are found by, as tensors that readers who do not know them pass over."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save
from sqlalchemy.orm import Session

from indexer.arrays import Vector
from indexer.catalog import Catalog
from indexer.catalog.copies import descriptors, local_features
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.images import images
from indexer.copies.descriptor import ResolvedDescriptor, resolve_descriptor
from indexer.copies.descriptor.registry import BUNDLED
from indexer.copies.features import FEATURES_FINGERPRINT, pack
from indexer.copies.features.local_features import LocalFeatures
from indexer.errors import SourceError
from indexer.exchange.bundle import BundleImport, import_bundle, open_bundle
from indexer.exchange.bundle.importing import Destination
from tests.exchange.bundles import changed, destination, write
from tests.exchange.filled_catalogue import digest


@pytest.fixture(scope="module")
def descriptor() -> ResolvedDescriptor:
    resolved = resolve_descriptor(BUNDLED)
    assert resolved is not None
    return resolved


def copy_vector(number: int, dimension: int) -> Vector:
    values = np.random.default_rng(number).standard_normal(dimension).astype(np.float32)
    return values / np.linalg.norm(values)


def codes(number: int) -> bytes:
    random = np.random.default_rng(number)
    return pack(
        LocalFeatures(
            size=(640, 480),
            points=random.uniform(0, 480, (5, 2)).astype(np.float32),
            scales=random.uniform(3, 30, 5).astype(np.float32),
            angles=random.uniform(0, 6, 5).astype(np.float32),
            descriptors=random.integers(0, 256, (5, 128), np.uint8),
        )
    )


def ids_of(session: Session) -> dict[int, int]:
    found = images.find_ids(session, [digest(number) for number in (1, 2, 3)])
    return {number: found[digest(number)] for number in (1, 2, 3)}


@pytest.fixture
def bundle(here: Catalog, tmp_path: Path, descriptor: ResolvedDescriptor) -> Path:
    """Of three images: the first and the third have a copy embedding, the second and the third features."""
    with here.writing() as session:
        ids, dimension = ids_of(session), descriptor.spec.dimension
        descriptor_id = descriptors.register(session, "one", descriptor.fingerprint, dimension, {})
        copy_embeddings.add(session, descriptor_id, [(ids[one], copy_vector(one, dimension)) for one in (1, 3)])
        local_features.add(session, FEATURES_FINGERPRINT, [(ids[2], codes(2)), (ids[3], codes(3)), (ids[1], b"")])
    path = tmp_path / "b.dejafake"
    return write(here, path, descriptor=descriptor.fingerprint, features=FEATURES_FINGERPRINT)


def into(there: Catalog, folder: Path, descriptor: ResolvedDescriptor | None) -> Destination:
    return replace(destination(there, folder), descriptor=descriptor)


def read(path: Path, to: Destination) -> BundleImport:
    with open_bundle(path) as opened:
        return import_bundle(opened, "spring.dejafake", to)


def test_another_desk_gets_copy_embeddings_and_features_once(
    bundle: Path, there: Catalog, tmp_path: Path, descriptor: ResolvedDescriptor
) -> None:
    to = into(there, tmp_path, descriptor)
    done = read(bundle, to)
    assert (done.copy_embeddings_added, done.features_added, done.copies_refused) == (2, 2, None)
    again = read(bundle, to)
    assert (again.copy_embeddings_added, again.features_added) == (0, 0)
    with there.reading() as session:
        ids = ids_of(session)
        vectors = copy_embeddings.vectors(session, descriptor.fingerprint, ids.values())
        assert vectors.keys() == {ids[1], ids[3]}
        np.testing.assert_array_equal(vectors[ids[3]], copy_vector(3, descriptor.spec.dimension))
        found = local_features.of(session, FEATURES_FINGERPRINT, ids.values())
        assert found == {ids[2]: codes(2), ids[3]: codes(3)}


def test_what_another_descriptor_or_method_made_is_left_out_and_the_rest_kept(
    bundle: Path, there: Catalog, tmp_path: Path
) -> None:
    done = read(bundle, replace(into(there, tmp_path, None), features=False))
    assert (done.images_added, done.embeddings_added) == (3, 2)
    assert (done.copy_embeddings_added, done.features_added) == (0, 0)
    assert done.copies_refused is not None
    assert "another copy descriptor" in done.copies_refused


def test_a_reader_that_knows_nothing_of_copies_finds_what_it_knows(bundle: Path) -> None:
    """The manifest has the members and the version it had before, and the tensor of embeddings its shape."""
    with open_bundle(bundle) as opened:
        manifest = opened.manifest
        parts = list(opened.parts())
    assert manifest.version == 2
    assert {member.name.partition("/")[0] for member in manifest.members} == {"images", "embeddings"}
    assert all(part.vectors.shape[1] == 384 for part in parts)


HOSTILE = {
    "numbers that are not finite": ("copies:", lambda rows: np.full_like(rows, np.nan)),
    "an image that is not there": ("copies_of", lambda rows: rows + 1_000),
    "an image named before the first": ("features_of", lambda rows: rows - 1_000),
    "sizes that do not add up": ("features_bytes", lambda rows: rows + 1),
    "a negative size": ("features_bytes", lambda rows: -rows),
    "too few rows": ("copies:", lambda rows: rows[:0]),
    "numbers of another kind": ("copies:", lambda rows: rows.astype(np.float64)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_tensors_are_refused_in_one_line_before_anything_is_written(
    what: str, bundle: Path, there: Catalog, tmp_path: Path, descriptor: ResolvedDescriptor
) -> None:
    start, change = HOSTILE[what]

    def spoil(members: dict[str, bytes]) -> None:
        for name in [name for name in members if name.startswith("embeddings/")]:
            tensors = load(members[name])
            members[name] = save({key: change(one) if key.startswith(start) else one for key, one in tensors.items()})

    with changed(bundle, spoil) as spoilt, pytest.raises(SourceError, match="no sound bundle") as refused:
        read(spoilt, into(there, tmp_path, descriptor))
    assert "\n" not in str(refused.value)
    with there.reading() as session:
        assert images.counts(session).images == 0


def test_features_that_cannot_be_read_are_left_out(
    bundle: Path, there: Catalog, tmp_path: Path, descriptor: ResolvedDescriptor
) -> None:
    def spoil(members: dict[str, bytes]) -> None:
        for name in [name for name in members if name.startswith("embeddings/")]:
            tensors = load(members[name])
            features = f"features:{FEATURES_FINGERPRINT}"
            if features in tensors:
                members[name] = save(tensors | {features: np.zeros_like(tensors[features])})

    with changed(bundle, spoil) as spoilt:
        done = read(spoilt, into(there, tmp_path, descriptor))
    assert (done.images_added, done.features_added, done.copy_embeddings_added) == (3, 0, 2)
