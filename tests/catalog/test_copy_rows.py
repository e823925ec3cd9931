"""Embeddings of copy descriptors, and packed local features, as rows."""

import numpy as np
import pytest

from indexer.arrays import Vector
from indexer.catalog import Catalog
from indexer.catalog.copies import coverage, descriptors, local_features
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.images import images
from indexer.catalog.images.intake import IncomingImage, Intake
from indexer.errors import CatalogError, UsageError
from tests.catalog.catalogue_rows import add_image, digest, new_image

A, B = "a" * 64, "b" * 64


def unit(number: int, dimension: int = 16) -> Vector:
    values = np.random.default_rng(number).standard_normal(dimension).astype(np.float32)
    return values / np.linalg.norm(values)


def test_copy_embeddings_of_any_dimension_come_back_bit_by_bit(catalog: Catalog) -> None:
    with catalog.writing() as session:
        small = descriptors.register(session, "small", A, 16, {"licence": "MIT"})
        large = descriptors.register(session, "large", B, 512, {})
        assert descriptors.register(session, "renamed", A, 16, {}) == small
        ids = [add_image(session, number) for number in range(3)]
        assert copy_embeddings.add(session, small, [(ids[n], unit(n)) for n in (2, 0)]) == 2
        assert copy_embeddings.add(session, small, [(ids[0], unit(9))]) == 0, "an image is described once"
        assert copy_embeddings.add(session, large, [(ids[1], unit(1, 512))]) == 1
    with catalog.reading() as session:
        batch = copy_embeddings.since(session, A, 0, 10, 16)
        assert batch.image_ids.tolist() == [ids[2], ids[0]]
        np.testing.assert_array_equal(batch.vectors, [unit(2), unit(0)])
        np.testing.assert_array_equal(copy_embeddings.vectors(session, B, ids)[ids[1]], unit(1, 512))
        assert copy_embeddings.having(session, A, ids) == {ids[0], ids[2]}
        undescribed = coverage.lacking(session, A, None, after=0, limit=9)
        assert [(one.image_id, one.sha256) for one in undescribed] == [(ids[1], digest(1))]
        assert coverage.count_lacking(session, B, None) == 2
        assert copy_embeddings.since(session, B, 99, 10, 512).vectors.shape == (0, 512)
        assert [(one.name, one.dimension, one.embeddings) for one in descriptors.list(session)] == [
            ("small", 16, 2),
            ("large", 512, 1),
        ]
        with pytest.raises(CatalogError, match="16 numbers, not 24"):
            copy_embeddings.since(session, A, 0, 10, 24)


def test_what_is_no_copy_embedding_is_refused(catalog: Catalog) -> None:
    with catalog.writing() as session:
        descriptor_id = descriptors.register(session, "small", A, 16, {})
        image_id = add_image(session, 1)
        for bad in (unit(1, 15), unit(1) * 2, np.full(16, np.nan, np.float32)):
            with pytest.raises(UsageError):
                copy_embeddings.add(session, descriptor_id, [(image_id, bad)])
        assert copy_embeddings.count(session, A) == 0


def test_features_are_kept_once_by_method_and_replaced_by_another(catalog: Catalog) -> None:
    with catalog.writing() as session:
        ids = [add_image(session, number) for number in range(3)]
        assert local_features.add(session, A, [(ids[1], b"one"), (ids[0], b"")]) == 2
        assert local_features.add(session, A, [(ids[1], b"again")]) == 0
        with pytest.raises(UsageError, match="bytes, more than"):
            local_features.add(session, A, [(ids[2], bytes(local_features.MOST_BYTES + 1))])
    with catalog.reading() as session:
        assert local_features.of(session, A, ids) == {ids[1]: b"one"}, (
            "of a picture with too little in it there is none"
        )
        assert local_features.having(session, A, ids) == {ids[0], ids[1]}
        unfeatured = coverage.lacking(session, None, A, after=0, limit=9)
        assert [(one.image_id, one.sha256) for one in unfeatured] == [(ids[2], digest(2))]
        assert local_features.count(session, A) == 1
        batch = local_features.since(session, A, 0, 10)
        assert (batch.image_ids.tolist(), batch.codes) == ([ids[1], ids[0]], (b"one", b""))
    with catalog.writing() as session:
        assert local_features.add(session, B, [(ids[1], b"newer")]) == 1
        assert local_features.of(session, A, ids) == {}, "features of two methods are never compared"
        assert local_features.of(session, B, ids) == {ids[1]: b"newer"}
        assert coverage.count_lacking(session, None, B) == 2
        assert local_features.since(session, B, int(batch.feature_ids[-1]), 10).codes == (b"newer",)


def test_what_copies_are_found_by_goes_with_the_image(catalog: Catalog) -> None:
    with catalog.writing() as session:
        descriptor_id = descriptors.register(session, "small", A, 16, {})
        image_id = add_image(session, 1)
        copy_embeddings.add(session, descriptor_id, [(image_id, unit(1))])
        local_features.add(session, A, [(image_id, b"one")])
    with catalog.writing() as session:
        images.delete(session, digest(1), "test")
        assert copy_embeddings.count(session, A) == local_features.count(session, A) == 0


def test_an_image_that_lacks_them_takes_them_when_it_comes_again(catalog: Catalog) -> None:
    def come_in(copy_embedding: Vector | None, features: bytes | None) -> tuple[int, int]:
        incoming = IncomingImage(sha256=digest(1), image=new_image(1), copy_embedding=copy_embedding, features=features)
        with catalog.writing() as session:
            descriptor_id = descriptors.register(session, "small", A, 16, {})
            intake = Intake(session, [digest(1)], read_here=True, descriptor=A, features=B)
            intake.store(incoming)
            return intake.store_copy_embeddings(descriptor_id), intake.store_features()

    assert come_in(None, None) == (0, 0)
    assert come_in(unit(1), b"one") == (1, 1)
    assert come_in(unit(2), b"two") == (0, 0), "what is known stays"
    with catalog.reading() as session:
        (image_id,) = images.find_ids(session, [digest(1)]).values()
        assert local_features.of(session, B, [image_id]) == {image_id: b"one"}


def test_what_images_lack_is_told_of_what_is_asked_for(catalog: Catalog) -> None:
    with catalog.writing() as session:
        descriptor_id = descriptors.register(session, "small", A, 16, {})
        ids = [add_image(session, number) for number in range(4)]
        copy_embeddings.add(session, descriptor_id, [(ids[n], unit(n)) for n in (0, 1)])
        local_features.add(session, B, [(ids[0], b"one"), (ids[2], b"")])
    with catalog.reading() as session:
        both = coverage.lacking(session, A, B, after=0, limit=9)
        assert [(one.image_id, one.undescribed, one.unfeatured) for one in both] == [
            (ids[1], False, True),
            (ids[2], True, False),
            (ids[3], True, True),
        ]
        assert (both[0].sha256, both[0].size) == (digest(1), (64, 48))
        asked = {(A, None): ids[2:], (None, B): [ids[1], ids[3]], (None, None): []}
        for (descriptor, features), lacking in asked.items():
            found = coverage.lacking(session, descriptor, features, after=0, limit=9)
            assert [one.image_id for one in found] == lacking
            assert coverage.count_lacking(session, descriptor, features) == len(lacking)
        assert [one.image_id for one in coverage.lacking(session, A, B, after=ids[1], limit=1)] == [ids[2]]
        assert copy_embeddings.TABLE.ids_of_both(session, A, A).tolist() == ids[:2]
