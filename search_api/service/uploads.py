"""Ingests uploaded files, through the same pipeline as every other source."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from indexer.campaigns.joining.after_ingest import join_campaigns
from indexer.copies.verification.thumbnails import Thumbnails
from indexer.errors import DejafakeError
from indexer.ingest.report import IngestOptions, ItemOutcome
from indexer.sightings import SIGHTING_FIELDS, NewSighting
from indexer.sources.items import SourceItem
from search_api.bodies.answers import Links
from search_api.bodies.forms import Upload
from search_api.bodies.images import IngestFields, UploadOutcome, UploadReport
from search_api.service.service import Service

logger = logging.getLogger("dejafake.api")

SOURCE: Final = "upload"
"""The name of uploads as a source of images; the location is the file's name, as harmless text."""


_JOINING: Final = 512
"""Most images that are looked at for a campaign after an upload: its own, and some of those left behind before."""


def ingest(service: Service, pictures: Sequence[Upload], said: IngestFields) -> UploadReport:
    """Adds pictures to the catalogue, with the statements that apply to all of them; blocks until they are stored. The
    caller holds `service.ingesting`.

    Raises:
        DejafakeError: the catalogue or the files cannot be written, or the detector fails.
    """
    run = service.workspace.ingest(
        IngestOptions(
            collections=said.collections,
            label=said.label,
            technique=said.technique,
            generator=said.generator,
            stated_by=said.stated_by,
            source_kind=said.source_kind,
            list_rejected=False,
        )
    )
    outcomes: list[UploadOutcome] = []

    def observe(outcome: ItemOutcome) -> None:
        service.metrics.uploaded(outcome.status)
        outcomes.append(_outcome(outcome))

    report = run.run((_item(picture, said, service.settings.max_file_bytes) for picture in pictures), observe)
    _join(service)
    service.watching.announce()
    return UploadReport(added=report.added, known=report.known, rejected=report.rejected, files=tuple(outcomes))


def _join(service: Service) -> None:
    """Lets new images join campaigns; a failure here does not fail the upload."""
    workspace = service.workspace
    try:
        join_campaigns(
            workspace.catalog,
            workspace.index,
            Thumbnails(workspace.settings),
            workspace.searcher.thresholds(),
            most=_JOINING,
        )
    except DejafakeError as error:
        logger.warning("uploaded images joined no campaigns: %s", error)


def _item(picture: Upload, said: IngestFields, max_bytes: int) -> SourceItem:
    read: Callable[[], bytes] = partial(picture.read, max_bytes)
    sighting = NewSighting(**{name: getattr(said, name) for name in SIGHTING_FIELDS})
    return SourceItem(
        source=SOURCE,
        location=picture.name,
        read=read,
        value=said.label,
        technique=said.technique,
        generator=said.generator,
        label_reason=said.reason,
        sighting=sighting if sighting != NewSighting() else None,
        expected_sha256=None,
        collections=(),
        fields={},
    )


def _outcome(outcome: ItemOutcome) -> UploadOutcome:
    return UploadOutcome.model_validate(
        {
            "file": outcome.location,
            "status": outcome.status,
            "sha256": outcome.sha256,
            "reason": outcome.reason,
            "message": outcome.message,
            "disputed": outcome.disputed,
            "links": None if outcome.sha256 is None else Links.of(outcome.sha256),
        }
    )
