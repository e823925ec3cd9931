"""`dejafake search`: a picture in, the nearest known fakes and a verdict out."""

from pathlib import Path
from typing import Any

import click
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from indexer.answers import SearchAnswer, SearchOptions
from indexer.catalog.records import CurrentLabel
from indexer.cli.filters import filter_options, image_filter
from indexer.cli.output import console, json_option, plain, print_json, table
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.verdict import Match
from indexer.vocabulary import LabelValue, Outcome, Relation, Technique
from indexer.workspace import Workspace

STYLES = {
    Outcome.KNOWN_FAKE_MATCH: "bold red",
    Outcome.SIMILAR_TO_KNOWN_FAKE: "bold yellow",
    Outcome.NO_MATCH_FOUND: "bold",
    Outcome.INCONCLUSIVE: "bold yellow",
    Outcome.NOT_ASSESSABLE: "bold",
}


@click.command()
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE|SHA256…")
@click.option("--limit", type=click.IntRange(min=1), help="Most matches per picture.")
@click.option(
    "--label",
    type=click.Choice([*(v.value for v in LabelValue), "any"]),
    help="Only images with this label. Default: identity among all labels, likeness among known fakes.",
)
@click.option("--max-distance", type=click.IntRange(0, 64), help="Largest PDQ distance that is the same picture.")
@click.option("--min-cosine", type=click.FloatRange(-1, 1), help="Smallest cosine to show and to call the same origin.")
@filter_options
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
    as_json: bool,
    **conditions: Any,
) -> None:
    """Search with PICTURES (files, or images of the catalogue by SHA-256 or the start of it).

    With --json every picture gives one line.

    \b
    dejafake search suspicious.jpg
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
    limits = ImageLimits.from_settings(settings)
    with Workspace(settings) as workspace:
        for picture in pictures:
            path = Path(picture)
            if path.exists() or not _could_be_sha256(picture):
                answer = workspace.searcher.by_bytes(read_bytes(path, limits), options)
            else:
                answer = workspace.searcher.by_sha256(workspace.find_image(picture), options)
            if as_json:
                print_json(answer, indent=None)
            else:
                show_answer(picture, answer)


def _could_be_sha256(text: str) -> bool:
    return 6 <= len(text) <= 64 and all(c in "0123456789abcdef" for c in text.lower())


def show_answer(name: str, answer: SearchAnswer) -> None:
    """Prints one answer for a person."""
    out, verdict = console(), answer.verdict
    headline = Text(verdict.outcome.value.replace("_", " "), style=STYLES[verdict.outcome])
    body = Text.assemble(headline, "\n", verdict.summary)
    for piece in verdict.evidence:
        if piece.measure == "p_fake" or piece.measure.startswith("provenance_"):
            body.append("\n").append_text(plain(piece.statement))
    if verdict.verbal_band is not None:
        body.append(f"\nIn a word, by its score alone: {verdict.verbal_band}.")
    for head in answer.heads:
        body.append("\n").append_text(plain(head.statement))
    for listed in answer.listed:
        how = "same file" if listed.relation is Relation.SAME_FILE else f"PDQ distance {listed.score.value:.0f}"
        body.append("\n").append_text(plain(f"Hash list {listed.entry.source}: {listed.entry.label.value}, {how}."))
    for limitation in verdict.limitations:
        body.append(f"\n· {limitation}", style="dim")
    out.print(Panel(body, title=plain(name), title_align="left"))
    if not answer.matches:
        return
    out.print(matches_table(answer.matches))
    campaigns = {member.campaign: member.name for match in answer.matches for member in match.image.campaigns}
    for campaign, title in campaigns.items():
        out.print("campaign", plain(campaign), plain(title))


def matches_table(matches: tuple[Match, ...]) -> Table:
    """A table of matches, strongest first."""
    made = table("image", "relation", "PDQ", "cosine", "label", "labelled by", "seen on")
    for column in made.columns[:4]:
        column.no_wrap = True
    for match in matches:
        record, image = match.image, match.image.image
        values = {score.measure: score for score in match.scores}
        pdq, cosine = values.get("pdq_distance"), values.get("cls_cosine")
        made.add_row(
            image.sha256[:12],
            match.relation.value if match.holds else "nearest only",
            "" if pdq is None else f"{pdq.value:.0f}" + (f" {pdq.note}" if pdq.note else ""),
            "" if cosine is None else f"{cosine.value:.3f}",
            _label(image.label),
            plain(image.label.source),
            plain(", ".join(sorted({seen.platform for seen in record.sightings if seen.platform}))),
        )
    return made


def _label(label: CurrentLabel) -> str:
    if label.disputed:
        return "disputed"
    known = label.technique is not Technique.UNKNOWN
    return f"{label.value.value}: {label.technique.value}" if known else label.value.value
