"""A PDQ hash that an older version took stays here: others would not find it, and no desk takes it for a new one."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from indexer.catalog import Catalog
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.tables.images import ImageRow
from indexer.detector.bundled import SPEC
from indexer.exchange import export_images
from indexer.exchange.bundle import export_bundle, import_bundle, open_bundle
from indexer.exchange.bundle.importing import Destination
from indexer.exchange.bundle.layout import BundledDetector, BundledImage
from indexer.exchange.hash_lists import export_hashes
from indexer.files.media import MediaStore
from indexer.imaging.limits import ImageLimits
from indexer.vocabulary import HashAlgorithm, PdqMethod
from tests.exchange.filled_catalogue import FINGERPRINT, add_image, digest, pdq

OLD, NEW = 1, 2
WRITTEN_BEFORE = "pdqhash 0.2.8 of 512x512 bilinear"
"""How version 0.1.0 put it, in its bundles too."""


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    """Image 1 has a hash of an older version, image 2 the reference hash."""
    with Catalog.open(database_url) as opened:
        with opened.writing() as session:
            add_image(session, OLD)
            add_image(session, NEW)
        set_method(opened, PdqMethod.BILINEAR_512)
        yield opened


def set_method(catalog: Catalog, method: str) -> None:
    with catalog.writing() as session:
        session.execute(update(ImageRow).where(ImageRow.sha256 == digest(OLD)).values(pdq_method=method))


@pytest.mark.parametrize("kind", ["stix", "misp"])
def test_documents_for_others_leave_it_out_and_keep_the_image(catalog: Catalog, kind: str) -> None:
    stream = io.StringIO(newline="")
    export_images(catalog, ImageFilter(), kind, stream)
    assert digest(OLD) in stream.getvalue()
    assert pdq(OLD).hex() not in stream.getvalue()
    assert pdq(NEW).hex() in stream.getvalue()


def test_hash_lists_leave_it_out_and_sha_256_lists_do_not(catalog: Catalog) -> None:
    hashes, digests = io.StringIO(), io.StringIO()
    assert export_hashes(catalog, ImageFilter(), HashAlgorithm.PDQ, hashes, min_quality=50) == 1
    assert export_hashes(catalog, ImageFilter(), HashAlgorithm.SHA256, digests, min_quality=50) == 2
    assert hashes.getvalue() == f"pdq {pdq(NEW).hex()}\n"


def test_tables_say_how_each_hash_was_taken(catalog: Catalog) -> None:
    stream = io.StringIO(newline="")
    export_images(catalog, ImageFilter(), "csv", stream)
    said = {line.split('","')[0].strip('"'): line for line in stream.getvalue().splitlines()}
    assert "bilinear_512" in said[digest(OLD)]
    assert '"reference"' in said[digest(NEW)]


@pytest.mark.parametrize("method", ["bilinear_512", WRITTEN_BEFORE])
def test_a_bundle_carries_it_as_an_old_one(catalog: Catalog, tmp_path: Path, method: str) -> None:
    """As version 0.1.0 wrote it too."""
    set_method(catalog, method)
    path = tmp_path / "made.dejafake"
    export_bundle(catalog, ImageFilter(), BundledDetector(name="small", fingerprint=FINGERPRINT), path)
    limits = ImageLimits(2**26, 100_000_000, 2_000)
    with Catalog.open(f"sqlite:///{tmp_path / 'there.sqlite'}") as there:
        into = Destination(there, SPEC, FINGERPRINT, MediaStore(tmp_path / "thumbnails"), 320, limits)
        with open_bundle(path) as opened:
            import_bundle(opened, path.name, into)
        with there.reading() as session:
            old, new = (images.get(session, digest(number)) for number in (OLD, NEW))
    assert old is not None
    assert new is not None
    assert (old.image.pdq, old.image.pdq_method, old.image.exchanged_pdq) == (pdq(OLD).hex(), "bilinear_512", None)
    assert (new.image.pdq, new.image.exchanged_pdq) == (pdq(NEW).hex(), pdq(NEW).hex())


def test_only_the_word_for_it_is_the_reference_method() -> None:
    for said in (None, "", WRITTEN_BEFORE, "Reference", "vpdq"):
        assert PdqMethod.of(said) is PdqMethod.BILINEAR_512
    assert PdqMethod.of("reference") is PdqMethod.REFERENCE
    assert BundledImage.model_fields["pdq_method"].default == "bilinear_512"
