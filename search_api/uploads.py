"""From uploaded files to the catalogue, through the same pipeline as every other source."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from indexer.campaigns.newcomers import join_campaigns
from indexer.errors import DejafakeError
from indexer.ingest_report import IngestOptions, ItemOutcome
from indexer.sources.items import SightingClaim, SourceItem
from search_api.bodies import Upload
from search_api.requests import IngestFields
from search_api.schemas import Links, UploadOutcome, UploadReport
from search_api.service import Service

logger = logging.getLogger("dejafake.api")

SOURCE: Final = "upload"
"""The name of uploads as a source of images; the location is the file's name, as harmless text."""


def ingest(service: Service, pictures: Sequence[Upload], said: IngestFields) -> UploadReport:
    """Adds pictures to the catalogue with what is said of all of them; blocks until they are safely there.

    The caller holds `service.ingesting`.

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
    _join(service, [outcome.sha256 for outcome in outcomes if outcome.status == "added" and outcome.sha256])
    service.watching.announce()
    return UploadReport(added=report.added, known=report.known, rejected=report.rejected, files=tuple(outcomes))


def _join(service: Service, added: Sequence[str]) -> None:
    """Lets new images join campaigns; when that fails, the upload is done all the same."""
    try:
        join_campaigns(service.workspace.catalog, service.workspace.searcher, added)
    except DejafakeError as error:
        logger.warning("uploaded images joined no campaigns: %s", error)


def _item(picture: Upload, said: IngestFields, max_bytes: int) -> SourceItem:
    read: Callable[[], bytes] = partial(picture.read, max_bytes)
    sighting = SightingClaim(
        url=said.url,
        archive_url=said.archive_url,
        platform=said.platform,
        account=said.account,
        posted_at=said.posted_at,
        caption=said.caption,
        language=said.language,
        claim=said.claim,
    )
    return SourceItem(
        source=SOURCE,
        location=picture.name,
        read=read,
        value=said.label,
        technique=said.technique,
        generator=said.generator,
        label_reason=said.reason,
        sighting=sighting if sighting != SightingClaim() else None,
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
