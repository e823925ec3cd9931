"""The page after a form that was rendered before somebody else changed the same thing: what changed, what the person
typed, and a button that sends it all the same."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from search_api.layers.errors import StaleError, stale_problem
from search_api.web.forms import form_of
from search_api.web.language import N_
from search_api.web.page import render, wants_part

WHAT: Final = {
    "label": N_("A label was stated"),
    "sighting": N_("A sighting was added"),
    "collections": N_("Its collections were changed"),
    "decision": N_("It was decided about"),
    "other": N_("What is known of it was changed"),
}
FIELDS: Final = {
    "value": N_("Label"),
    "technique": N_("How it was made"),
    "generator": N_("Program or model"),
    "stated_by": N_("Who says so"),
    "reason": N_("Why"),
    "url": N_("Address of the post"),
    "archive_url": N_("Address of an archived copy"),
    "platform": N_("Platform"),
    "account": N_("Account"),
    "posted_at": N_("Posted at (UTC)"),
    "language": N_("Language of the caption"),
    "caption": N_("Caption"),
    "claim": N_("What was claimed with it"),
    "add_to_collections": N_("Put into the collection"),
    "remove_from_collections": N_("Take out"),
    "kind": N_("Decision"),
    "note": N_("Note"),
    "name": N_("Name"),
    "images": N_("Images"),
    "other": N_("Campaign"),
}
"""The words of a form's fields, where this page shows what was typed."""


async def on_stale(request: Request, error: Exception) -> Response:
    """Answers a stale form with a page, any other stale change with a problem document."""
    if not isinstance(error, StaleError):
        raise error
    form = form_of(request)
    if form is None or wants_part(request):
        return stale_problem(error)
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    return render(
        request,
        "stale.html",
        status=412,
        changes=error.changes,
        what=WHAT,
        fields=form.fields,
        field_words=FIELDS,
        read_version=error.tag,
        item=path.rpartition("/")[0],
    )
