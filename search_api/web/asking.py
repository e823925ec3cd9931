"""What the Ask page shows of each picture: the answer with its matches grouped, or why there is none."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

from anyio.to_thread import run_sync
from fastapi import Request

from indexer.errors import ImageRejectedError, SourceError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.imaging.thumbnails import make_thumbnail
from indexer.search.answers import SearchAnswer, SearchOptions
from indexer.verdict.headlines import HEADLINES
from indexer.verdict.limitations import short_limits
from search_api.bodies.forms import Upload
from search_api.service.archives import is_zip, pictures_in
from search_api.service.grouping import GroupedMatches, grouped
from search_api.service.pictures import search_with
from search_api.service.service import Service

MOST_PICTURES: Final = 64
"""Most pictures that one form asks about."""
_MOST_MATCHES: Final = 200
_TIME_SHARE: Final = 0.7
"""Share of the time that a request may take, after which no further picture is begun."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture that was asked about.

    Attributes:
        name: of the file, as harmless text.
        answer: None where there is none.
        groups: the matches by picture, with the answer.
        refusal: why there is no answer, one line.
        preview: a small copy as a `data:` address, empty where there is none.
        more: there may be more matches than are listed.
    """

    name: str
    answer: SearchAnswer | None = None
    groups: GroupedMatches | None = None
    refusal: str = ""
    preview: str = ""
    more: bool = False

    @property
    def headline(self) -> str:
        """The outcome in a few words."""
        return "" if self.answer is None else HEADLINES[self.answer.verdict.outcome]

    @property
    def short_limits(self) -> tuple[str, str]:
        """The limits of the answer in two lines."""
        if self.answer is None:
            return "", ""
        verdict = self.answer.verdict
        return short_limits(verdict.outcome, calibrated=verdict.calibration is not None)

    @property
    def detector_words(self) -> str:
        """What the detector says by itself."""
        if self.answer is None or self.answer.detector is None:
            return ""
        finding, verdict = self.answer.detector, self.answer.verdict
        if finding.p_fake is None:
            return f"The detector {finding.name} is not trained, so it has no score for this picture."
        statement = next((piece.statement for piece in verdict.evidence if piece.measure == "p_fake"), "")
        return f"{statement} By its score alone: {verdict.verbal_band}." if verdict.verbal_band else statement


async def ask_all(request: Request, service: Service, uploads: Sequence[Upload]) -> list[Asked]:
    """Asks with every picture of a form, those in ZIP archives too, one after the other. Nothing is kept.

    One bad picture never fails the others. A request must end in time: the pictures that are left then say so.
    """
    ends = monotonic() + _TIME_SHARE * service.settings.request_timeout_seconds
    asked: list[Asked] = []
    for upload in uploads:
        try:
            async with _pictures(service, upload, MOST_PICTURES - len(asked)) as pictures:
                for name, read in pictures:
                    if len(asked) >= MOST_PICTURES:
                        asked.append(
                            Asked(name, refusal=f"At most {MOST_PICTURES} pictures are asked about at a time.")
                        )
                    elif monotonic() > ends:
                        asked.append(Asked(name, refusal="The time for one request ran out: send this one again."))
                    else:
                        asked.append(await _ask(request, service, name, read))
        except (ImageRejectedError, SourceError) as error:
            asked.append(Asked(upload.name, refusal=str(error)))
    return asked


async def ask_known(service: Service, sha256: str) -> Asked:
    """Asks with an image of the catalogue, itself left out.

    Raises:
        NotFoundError: there is no such image.
    """
    searcher = service.workspace.searcher
    answer = await service.compute(lambda: searcher.by_sha256(sha256, _options(service), leave_itself_out=True))
    return _answered(service, sha256, answer, "")


@asynccontextmanager
async def _pictures(
    service: Service, upload: Upload, most: int
) -> AsyncIterator[Sequence[tuple[str, Callable[[], bytes]]]]:
    """The pictures of an upload: itself, or those of an archive."""
    if not await service.labour(lambda: is_zip(upload)):
        yield [(upload.name, lambda: upload.read(service.settings.max_file_bytes))]
        return
    async with AsyncExitStack() as stack:
        opened = pictures_in(upload, ImageLimits.from_settings(service.settings), most)
        members = await service.labour(opened.__enter__)
        stack.push_async_callback(run_sync, lambda: opened.__exit__(None, None, None))
        yield [(member.name, member.read) for member in members]


async def _ask(request: Request, service: Service, name: str, read: Callable[[], bytes]) -> Asked:
    try:
        answer = await search_with(request, service, read, _options(service))
        async with service.decoding:
            preview = await service.compute(lambda: _preview(service, read()))
    except ImageRejectedError as error:
        return Asked(name, refusal=str(error))
    service.metrics.searched(answer.milliseconds)
    return _answered(service, name, answer, preview)


def _options(service: Service) -> SearchOptions:
    return SearchOptions(limit=min(_MOST_MATCHES, service.settings.search_limit_max))


def _answered(service: Service, name: str, answer: SearchAnswer, preview: str) -> Asked:
    groups = grouped(answer.matches, service.workspace.searcher.thresholds())
    return Asked(name, answer, groups, preview=preview, more=len(answer.matches) >= (_options(service).limit or 0))


def _preview(service: Service, data: bytes) -> str:
    image = decode(data, ImageLimits.from_settings(service.settings))
    return "data:image/jpeg;base64," + b64encode(make_thumbnail(image.rgb, service.settings.thumbnail_size)).decode()
