"""From uploaded files to the catalogue, through the same pipeline as every other source."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from indexer.ingest_report import IngestOptions, ItemOutcome
from indexer.sources.items import SightingClaim, SourceItem
from search_api.bodies import Upload
from search_api.requests import IngestFields
from search_api.schemas import Links, UploadOutcome, UploadReport
from search_api.service import Service

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
    service.watching.announce()
    return UploadReport(added=report.added, known=report.known, rejected=report.rejected, files=tuple(outcomes))


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
