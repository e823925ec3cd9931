"""`dejafake label`: a person states what an image is."""

import getpass

import click

from indexer.catalog.images import images, labels
from indexer.catalog.records.labels import NewLabel
from indexer.cli.catalogue.label_words import show_words
from indexer.cli.finding import find_images
from indexer.cli.output import complain, console, json_option, plain, print_json
from indexer.settings import Settings
from indexer.vocabulary import LabelSource, LabelValue, Technique
from indexer.workspace import Workspace


@click.command(
    epilog="Labels add up and are never overwritten. A person's wins over a feed's, a feed's over a model's."
)
@click.argument("sha256s", nargs=-1, required=True, metavar="SHA256…")
@click.option("--as", "value", required=True, type=click.Choice([v.value for v in LabelValue]), help="What it is.")
@click.option("--technique", type=click.Choice([t.value for t in Technique]), default=Technique.UNKNOWN.value)
@click.option("--generator", help="The program or model that made it, where known.")
@click.option("--reason", help="Why; shown wherever the label is.")
@click.option("--by", "source", default=getpass.getuser, help="Who says so. Default: your user name.")
@click.option(
    "--words",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_words,
    help="Print how label words of other desks and data sets are read, and exit.",
)
@json_option
@click.pass_obj
def label(
    settings: Settings,
    sha256s: tuple[str, ...],
    value: str,
    technique: str,
    generator: str | None,
    reason: str | None,
    source: str,
    as_json: bool,
) -> int:
    """State that the images SHA256… (or the starts of them) are fake, authentic or unknown.

    A SHA-256 that matches no image is reported on standard error and, with --json, among the results; the exit code
    is then 1.

    \b
    dejafake label 3f2a91c0 --as fake --technique splice --reason "the sky is from another photo"
    """
    statement = NewLabel(
        value=LabelValue(value),
        source_kind=LabelSource.HUMAN,
        source=source,
        technique=Technique(technique),
        generator=generator,
        reason=reason,
    )
    with Workspace(settings) as workspace:
        known, failed = find_images(workspace, sha256s)
        with workspace.catalog.writing() as session:
            ids = images.find_ids(session, known)
            for sha256 in known:
                labels.state(session, ids[sha256], [statement])
            records = tuple(details.image for details in images.details(session, list(ids.values())).values())
    for failure in failed:
        complain(f"{failure.query}: {failure.error.message}")
    if as_json:
        print_json((*records, *failed))
        return 1 if failed else 0
    for image in records:
        now = "disputed: statements disagree" if image.label.disputed else image.label.value.value
        console().print(image.sha256[:16], "is now", now, "· by", plain(image.label.source))
    return 1 if failed else 0
