"""A catalogue of an older version is brought over: what copies are found by is taken of every image that lacks it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from sqlalchemy import create_engine, text

from indexer.catalog import schema
from indexer.catalog.copies import descriptors, local_features
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.images import images
from indexer.cli.app import run
from indexer.copies.features import FEATURES_FINGERPRINT, unpack
from indexer.copies.features.sift import query_features
from indexer.errors import ConflictError
from indexer.imaging.decoding import sha256_hex
from indexer.reindex.copies import PrepareCopies
from indexer.settings import Settings
from indexer.sources import SourceItem
from indexer.workspace import Workspace
from tests.made_descriptors import made_descriptor
from tests.made_pictures import encoded, scene

SIZE = (800, 600)
PICTURES = [encoded(scene(number).resize(SIZE), "PNG") for number in range(5)]


@pytest.fixture(scope="module")
def descriptor_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_descriptor(tmp_path_factory.mktemp("descriptor") / "tiny")


@pytest.fixture
def settings(tmp_path: Path, descriptor_folder: Path) -> Settings:
    """Of a home whose images have nothing of the kind: five pictures, with originals and thumbnails."""
    made = Settings.load(
        home=tmp_path / "home", copy_descriptor=str(descriptor_folder), batch_size=2, runtime="eager", threads=1
    )
    with Workspace(made.model_copy(update={"copy_descriptor": "off", "local_features": False})) as workspace:
        workspace.ingest().run(
            [SourceItem("list", f"{at}.png", lambda data=data: data) for at, data in enumerate(PICTURES)]
        )
    return made


@pytest.fixture
def workspace(settings: Settings) -> Iterator[Workspace]:
    with Workspace(settings) as opened:
        yield opened


def prepare(workspace: Workspace) -> PrepareCopies:
    return PrepareCopies(workspace, workspace.descriptor(), workspace.passes.embed)


def ids_of(workspace: Workspace) -> list[int]:
    with workspace.catalog.reading() as session:
        found = images.find_ids(session, [sha256_hex(data) for data in PICTURES])
    return [found[sha256_hex(data)] for data in PICTURES]


def test_every_image_gets_both_and_is_found_by_both(workspace: Workspace) -> None:
    workspace.index.refresh()
    assert workspace.index.view().copies_lacking == 5
    seen: list[int] = []
    done = prepare(workspace).run(seen.append)
    assert (done.embeddings_added, done.features_added, done.remaining, sum(seen)) == (5, 5, 0, 5)
    again = prepare(workspace).run()
    assert (again.embeddings_added, again.features_added) == (0, 0)
    ids, fingerprint = ids_of(workspace), workspace.resolved_descriptor.fingerprint
    workspace.index.refresh()
    view = workspace.index.view()
    assert view.copies_lacking == 0
    with workspace.catalog.reading() as session:
        vectors = copy_embeddings.vectors(session, fingerprint, ids)
    rows = np.array([vectors[image_id] for image_id in ids])
    np.testing.assert_allclose(view.nearest_copies(rows, 1).scores[:, 0], 1, atol=1e-5)
    assert view.features_near(query_features(scene(3).resize(SIZE)), 1)[0][0] == ids[3]


def test_where_no_original_is_kept_the_thumbnail_serves_in_pixels_of_the_picture(workspace: Workspace) -> None:
    ids = ids_of(workspace)
    with_original, without, neither = (sha256_hex(PICTURES[at]) for at in (0, 1, 2))
    for sha256 in (without, neither):
        workspace.originals.delete(sha256)
    workspace.thumbnails.delete(neither)
    changed = sha256_hex(PICTURES[4])
    workspace.originals.path(changed).write_bytes(b"something else")
    done = prepare(workspace).run()
    assert done.skipped == {"changed_original": 1, "no_picture": 1}
    assert (done.features_added, done.changed, done.remaining) == (3, (changed,), 2)
    with workspace.catalog.reading() as session:
        codes = local_features.of(session, FEATURES_FINGERPRINT, ids)
    whole, small = unpack(codes[ids[0]]), unpack(codes[ids[1]])
    assert with_original != without
    assert whole.size == small.size == SIZE
    assert small.points.max() > 400, "not in pixels of the thumbnail"


def test_a_killed_run_is_finished_by_the_next(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.reindex.copies._LEAST_BATCH", 2)

    def stop(_more: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(workspace).run(stop)
    assert prepare(workspace).count() == 3
    done = prepare(workspace).run()
    assert (done.embeddings_added, done.features_added, done.remaining) == (3, 3, 0)


def test_one_run_at_a_time(workspace: Workspace) -> None:
    def another(_more: int) -> None:
        with pytest.raises(ConflictError, match="another `dejafake copies prepare`"):
            prepare(workspace).run()

    prepare(workspace).run(another)


def test_a_catalogue_of_the_schema_before_is_brought_over_by_one_command(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also one that had features of known fakes, of the method of that version."""
    engine = create_engine(settings.catalog_url)
    with engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "0020")
        connection.execute(
            text(
                "INSERT INTO region_features (image_id, points, descriptors, prepared_at) "
                "SELECT id, x'00', x'00', added_at FROM image"
            )
        )
    engine.dispose()
    options = ["--home", str(settings.home), "copies", "prepare"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEJAFAKE_COPY_DESCRIPTOR", settings.copy_descriptor)
        patch.setenv("DEJAFAKE_RUNTIME", "eager")
        assert run(options) == 0
    assert "5 copy embeddings and local features of 5 images" in capsys.readouterr().out
    with Workspace(settings) as workspace, workspace.catalog.reading() as session:
        assert workspace.lacking_for_copies() == 0
        assert [one.embeddings for one in descriptors.list(session)] == [5]
        assert workspace.index.status().copies.state == "ready"


def test_another_descriptor_is_embedded_by_beside_the_one_in_use_and_compared(
    workspace: Workspace, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(workspace).run()
    other = made_descriptor(tmp_path / "other", seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEJAFAKE_COPY_DESCRIPTOR", settings.copy_descriptor)
        patch.setenv("DEJAFAKE_RUNTIME", "eager")
        assert run(["--home", str(settings.home), "copies", "prepare", "--descriptor", str(other), "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert (outcome["report"]["embeddings_added"], outcome["report"]["features_added"]) == (5, 0)
    assert (outcome["agreement"]["n"], outcome["agreement"]["neighbours"]["k"]) == (5, 4)
    assert outcome["agreement"]["neighbours"]["jaccard"] == 1, "all four others, of five"
    with Workspace(settings.model_copy(update={"copy_descriptor": str(other)})) as moved:
        moved.index.refresh()
        assert moved.index.view().copies_lacking == 0
        assert (settings.index_dir / "copies" / moved.resolved_descriptor.fingerprint / "CURRENT").is_file()


def test_with_both_turned_off_there_is_nothing_to_prepare(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEJAFAKE_COPY_DESCRIPTOR", "off")
    monkeypatch.setenv("DEJAFAKE_LOCAL_FEATURES", "false")
    assert run(["--home", str(settings.home), "copies", "prepare"]) == 2
    assert "both turned off" in capsys.readouterr().err
