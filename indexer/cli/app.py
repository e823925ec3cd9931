"""The root of the command line: global options, commands loaded only when called, errors turned into exit codes.

Exit codes: 0 done, 1 it failed, 2 the command was used wrongly, 130 interrupted, 143 asked
to end.
"""

import importlib
import sys
from io import StringIO
from typing import Any

import click

from indexer import __version__
from indexer.cli.terminal import echo, let_go, prepare
from indexer.errors import DejafakeError, UsageError
from indexer.settings import Settings

COMMANDS = {
    "ingest": ("indexer.cli.catalogue.ingest:ingest", "Add pictures: a folder, a manifest, an archive or files."),
    "search": ("indexer.cli.catalogue.search:search", "Have we seen this fake before? Search with a picture."),
    "enrich": ("indexer.cli.exchange.enrich:enrich", "Add what is known about each picture to a table of yours."),
    "compare": ("indexer.cli.catalogue.compare:compare", "How two pictures relate: all three relations."),
    "regions": (
        "indexer.cli.catalogue.regions:regions",
        "Which known fakes contain a region of a picture? Prepare, search.",
    ),
    "copies": ("indexer.cli.catalogue.copies:copies", "What altered copies are found by: prepare older catalogues."),
    "show": ("indexer.cli.catalogue.show:show", "Everything the catalogue knows about one image."),
    "label": ("indexer.cli.catalogue.label:label", "State that an image is fake, authentic or unknown."),
    "delete": (
        "indexer.cli.catalogue.delete:delete",
        "Delete images with everything known about them and their files.",
    ),
    "cluster": ("indexer.cli.campaigns.campaigns:cluster", "Group the known fakes into campaigns."),
    "campaigns": ("indexer.cli.campaigns.campaigns:campaigns", "List the campaigns, or show one."),
    "decide": ("indexer.cli.campaigns.decide:decide", "Decide about campaigns: confirm, reject, merge, split, undo."),
    "novelties": ("indexer.cli.campaigns.novelties:novelties", "Known fakes that fit no campaign."),
    "accounts": ("indexer.cli.campaigns.accounts:accounts", "Accounts that share the same pictures within minutes."),
    "report": ("indexer.cli.campaigns.report:report", "Write campaign reports: HTML, PDF, JSON and CSV."),
    "export": (
        "indexer.cli.exchange.export:export",
        "Write the catalogue: JSON Lines, CSV, MediaReview, STIX, MISP, a bundle.",
    ),
    "import": ("indexer.cli.exchange.import_bundle:import_", "Add a bundle that another desk exported."),
    "watch": ("indexer.cli.exchange.watch:watch", "Saved queries that report when a later ingest matches."),
    "hashes": ("indexer.cli.exchange.hashes:hashes", "Hash lists: export, import, list, remove."),
    "serve": ("search_api.command:serve", "Start the workbench and the HTTP API."),
    "index": ("indexer.cli.catalogue.index:index", "The vector index: status, build, verify."),
    "reindex": ("indexer.cli.detectors.reindex:reindex", "Move the catalogue over to another detector."),
    "detector": ("indexer.cli.detectors.detector:detector", "Detectors: list, info, pull, verify."),
    "descriptor": ("indexer.cli.detectors.descriptor:descriptor", "Copy descriptors: list, info, verify."),
    "evaluate": ("indexer.cli.detectors.evaluate:evaluate", "How well the detector does on labelled pictures."),
    "calibrate": ("indexer.cli.detectors.calibrate:calibrate", "What the detector's scores mean on your pictures."),
    "head": ("indexer.cli.detectors.head:head", "Classifiers of your own: train, list, show, remove."),
    "doctor": ("indexer.cli.catalogue.doctor:doctor", "Check this installation and say what to fix."),
    "demo": ("indexer.demo.command:demo", "Run the main job on a made-up collection."),
}
"""Command name -> where it lives, and its line in `dejafake --help`."""


class LazyGroup(click.Group):
    """A group whose commands are imported when called, so that `--help` starts without NumPy, FAISS and torch."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of a first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command's module."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command list, from the table above instead of from the modules."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="First steps: `dejafake demo`, or `dejafake ingest FOLDER` and then `dejafake search PICTURE`. "
    "Every setting is also an environment variable DEJAFAKE_…; see docs/settings.md.",
)
@click.option("--home", type=click.Path(file_okay=False), help="Folder of the catalogue and its files.")
@click.option("--database-url", help="SQLAlchemy URL of the catalogue, instead of SQLite in the home folder.")
@click.option("--detector", help="Detector to use: a name from `dejafake detector list`, or a folder.")
@click.version_option(__version__, prog_name="dejafake")
@click.pass_context
def cli(ctx: click.Context, home: str | None, database_url: str | None, detector: str | None) -> None:
    """Have we seen this fake before?

    dejafake keeps a catalogue of known deepfakes and answers, for any picture, which known fakes it is or is like, what
    the detector says, and which campaign it belongs to. A score is a signal, not proof; no match is not "authentic".
    """
    ctx.obj = Settings.load(home=home, database_url=database_url, detector=detector)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits. Errors of the library become one line on standard error."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""
    prepare()
    try:
        result: Any = cli.main(args=arguments, prog_name="dejafake", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        said = StringIO()
        error.show(file=said)
        echo(said.getvalue().rstrip("\n"), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        echo("dejafake: interrupted; what was done so far is kept", err=True)
        return 130
    except DejafakeError as error:
        echo(f"dejafake: {error}", err=True)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        let_go()
        return 1
    return result if isinstance(result, int) else 0
