"""A small demo catalogue that is made once and opened again, for notebooks."""

from pathlib import Path

from indexer.campaigns import cluster
from indexer.catalog.campaigns import campaigns
from indexer.demo.collection import make_collection
from indexer.demo.fakes import FAKES
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.workspace import Workspace

_FAKES = 5


def small_demo(folder: Path) -> Workspace:
    """The workspace of a small made-up collection, ingested and clustered; close it when done.

    Args:
        folder: made and filled the first time, opened as it is afterwards. The pictures to search with are in
            `collection/queries`.

    Raises:
        DejafakeError, OSError: it cannot be made.
    """
    settings = Settings.load(home=folder / "home")
    workspace = Workspace(settings)
    try:
        with workspace.catalog.reading() as session:
            ready = campaigns.last_run(session) is not None
        if not ready:
            collection = make_collection(folder / "collection", FAKES[:_FAKES])
            source = open_source(collection.manifest, ImageLimits.from_settings(settings))
            workspace.ingest(IngestOptions(stated_by="notebook")).run(source)
            cluster(workspace.catalog, workspace.index, settings)
    except BaseException:
        workspace.close()
        raise
    return workspace
