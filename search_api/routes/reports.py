"""`/v1/campaigns/{id}/report`: the report on a campaign, as data or to forward."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from indexer.campaigns import CampaignReport, ReportFormat, campaign_report, render
from indexer.campaigns.report.pictures import ReportPictures
from indexer.verdict.active_calibration import ActiveCalibration
from search_api.bodies.fields import Utc
from search_api.bodies.forms import JSON
from search_api.layers.errors import responses
from search_api.openapi import example
from search_api.service.service import Serving

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])

_MEDIA_TYPES: Final = {
    ReportFormat.JSON: JSON,
    ReportFormat.HTML: "text/html",
    ReportFormat.PDF: "application/pdf",
    ReportFormat.CSV: "text/csv",
}
_PAGE_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def _described() -> dict[int | str, dict[str, object]]:
    told: dict[int | str, dict[str, object]] = {**example("report")}
    content = dict(told[200]["content"])  # type: ignore[call-overload]
    content |= {kind: {} for kind in _MEDIA_TYPES.values() if kind != JSON}
    told[200] = {"model": CampaignReport, "content": content, "description": "The report in the format asked for."}
    return told


@router.get(
    "/{campaign_id}/report",
    summary="The report on a campaign",
    response_class=Response,
    responses={**_described(), **responses(404, 410, 422, 503)},
)
async def report(
    request: Request,
    service: Serving,
    campaign_id: Annotated[str, Path(max_length=64, description="Id of the campaign, `cmp_…`.")],
    format: Annotated[ReportFormat | None, Query(description="Default: by the `Accept` header, else `json`.")] = None,
    since: Annotated[
        Utc | None, Query(description="Show what is new since then; UTC unless a time zone is given.")
    ] = None,
    blur: Annotated[bool, Query(description="Make the pictures unrecognisable, for disturbing material.")] = False,
) -> Response:
    """Why the images belong together, when and where they were seen, members with labels and sightings, how it was
    made, and its limits. HTML and PDF are self-contained, so that they can be forwarded."""
    form = format or _accepted(request.headers.get("accept", ""))
    workspace = service.workspace

    def make() -> bytes:
        written = campaign_report(
            workspace.catalog,
            campaign_id,
            calibration=ActiveCalibration(workspace.catalog, workspace.resolved).get(),
            since=since,
        )
        return render(written, form, ReportPictures(service.settings, blur=blur))

    with service.heavy.place():
        body = await service.labour(make)
    headers = {"Vary": "Accept", "Content-Security-Policy": _PAGE_POLICY}
    if form is not ReportFormat.JSON:
        headers["Content-Disposition"] = f'inline; filename="{_file_name(campaign_id)}.{form.value}"'
    return Response(body, media_type=_MEDIA_TYPES[form], headers=headers)


def _accepted(accept: str) -> ReportFormat:
    """The first format that the header names, JSON when it names none."""
    for part in accept.lower().split(","):
        kind = part.partition(";")[0].strip()
        for form, media_type in _MEDIA_TYPES.items():
            if kind == media_type:
                return form
    return ReportFormat.JSON


def _file_name(campaign_id: str) -> str:
    return "".join(c for c in campaign_id if c.isascii() and (c.isalnum() or c == "_"))
