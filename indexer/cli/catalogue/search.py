"""`dejafake search`: a picture in, the nearest known fakes and a verdict out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from indexer.cli.catalogue.answer import show_answer
from indexer.cli.filters import filter_options, image_filter
from indexer.cli.output import WHOLE, explain_option, json_option, print_json, strict_option, tell_failure
from indexer.errors import ImageRejectedError, NotFoundError, UsageError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.search.answers import SearchAnswer, SearchOptions
from indexer.search.candidates import list_limit
from indexer.settings import Settings
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace


@click.command()
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE|SHA256…")
@click.option("--limit", type=WHOLE, help="Most matches listed for each picture; copies of it are counted in full.")
@click.option(
    "--label",
    type=click.Choice([*(v.value for v in LabelValue), "any"]),
    help="List only images with this label. Default: the same file or picture with any label, the same origin among "
    "known fakes.",
)
@click.option(
    "--max-distance", type=click.IntRange(0, 64), help="Largest PDQ distance that counts as the same picture."
)
@click.option(
    "--min-cosine", type=click.FloatRange(-1, 1), help="Smallest cosine that is listed and counts as the same origin."
)
@filter_options
@strict_option
@explain_option
@json_option
@click.pass_obj
def search(
    settings: Settings,
    /,
    pictures: tuple[str, ...],
    limit: int | None,
    label: str | None,
    max_distance: int | None,
    min_cosine: float | None,
    strict: bool,
    explain: bool,
    as_json: bool,
    **conditions: Any,
) -> int:
    """Search with PICTURES: files, or images of the catalogue by SHA-256 or the start of it.

    The verdict is about the whole catalogue; limit, label and conditions narrow what is listed. Copies of the picture
    are one line for each label. --explain lists every match, all evidence and all limits. With --json every picture
    gives one line.

    \b
    dejafake search suspicious.jpg
    dejafake search suspicious.jpg --explain
    dejafake search suspicious.jpg --platform example-social --limit 5
    dejafake search 3f2a… --label any --json
    """
    options = SearchOptions(
        limit=limit,
        same_picture_max_distance=max_distance,
        same_origin_min_cosine=min_cosine,
        filter=image_filter(label, **conditions),
        likeness_label=None if label == "any" else LabelValue.FAKE,
    )
    settings = settings.model_copy(update={"strict": strict or settings.strict})
    limits, listed = ImageLimits.from_settings(settings), list_limit(limit, settings)
    if not as_json:  # copies are counted and dated in full, however few are listed
        options = replace(options, limit=settings.search_limit_max)
    failed = 0
    with Workspace(settings) as workspace:
        for picture in pictures:
            try:
                answer = _answer(workspace, picture, limits, options)
            except (ImageRejectedError, NotFoundError) as error:
                failed += 1
                tell_failure(picture, error, as_json=as_json)
                continue
            if as_json:
                print_json(answer, indent=None)
            else:
                show_answer(picture, answer, limit=listed, most=settings.search_limit_max, explain=explain)
    return 1 if failed else 0


def _answer(workspace: Workspace, picture: str, limits: ImageLimits, options: SearchOptions) -> SearchAnswer:
    """The answer to a file, or to an image by the start of its SHA-256.

    Raises:
        ImageRejectedError: the file is no picture.
        NotFoundError: no image, or several.
    """
    path = Path(picture)
    if path.exists() or not _could_be_sha256(picture):
        return workspace.searcher.by_bytes(read_bytes(path, limits), options)
    try:
        sha256 = workspace.find_image(picture)
    except UsageError as error:  # several start so
        raise NotFoundError(str(error)) from None
    return workspace.searcher.by_sha256(sha256, options)


def _could_be_sha256(text: str) -> bool:
    return 6 <= len(text) <= 64 and all(c in "0123456789abcdef" for c in text.lower())
