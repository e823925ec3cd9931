"""The main job end to end on the demo collection, told to a person as it goes.

Make the pictures, ingest them, build the index, search, cluster, write the report, say where to look.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from rich.rule import Rule
from rich.text import Text

from indexer.campaigns import cluster, write_reports
from indexer.catalog.campaigns import campaigns
from indexer.catalog.images import images
from indexer.catalog.records.campaigns import ClusteringRun
from indexer.catalog.records.images import CatalogCounts
from indexer.cli.output import console, plain, progress, steps, table
from indexer.demo.answer_card import draw_answer
from indexer.demo.collection import DemoCollection, DemoQuery, count_pictures, make_collection
from indexer.demo.fakes import FAKES, Fake
from indexer.demo.photographs import PHOTOGRAPHS
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions, IngestReport, ItemOutcome
from indexer.search.answers import SearchAnswer
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.verdict.match_words import match_words
from indexer.verdict.matches import Match
from indexer.workspace import Workspace

_STATED_BY = "dejafake demo"
_LARGEST_CAMPAIGNS = 5


class Tour:
    """One run of the demo in one folder.

    Args:
        settings: as for any command; home and database are replaced by ones inside `folder`.
        folder: where everything goes.
        fakes: which fakes to make.
    """

    def __init__(self, settings: Settings, folder: Path, fakes: Sequence[Fake] = FAKES) -> None:
        self._settings = Settings(**{**settings.model_dump(), "home": folder / "home", "database_url": None})
        self._folder = folder
        self._fakes = fakes
        self._out = console()

    def run(self) -> None:
        """Runs all steps and prints a summary.

        Raises:
            DejafakeError, OSError: a step failed; what was done before stays.
        """
        started = perf_counter()
        collection = self._make()
        with Workspace(self._settings) as workspace:
            ingested = self._ingest(workspace, collection)
            self._index(workspace)
            answers = self._search(workspace, collection.queries)
            clustering = self._cluster(workspace)
            reports = write_reports(workspace.catalog, self._settings, self._folder / "report")
            with workspace.catalog.reading() as session:
                counts = images.counts(session)
            picture = self._folder / "answer.png"
            draw_answer(collection.queries[0].path, answers[0], workspace.thumbnails, _footnote(self._fakes[0])).save(
                picture
            )
        self._say_done(ingested, counts, clustering, perf_counter() - started)
        self._say_where(collection, _overview(reports), _largest_pdf(reports), picture)

    def _make(self) -> DemoCollection:
        self._title("1. A collection of fakes, made here")
        with progress("make pictures", count_pictures(self._fakes)) as advance:
            collection = make_collection(self._folder / "collection", self._fakes, advance)
        self._say(
            f"{collection.pictures} pictures: {len(self._fakes)} fakes and their re-shared copies, beside untouched "
            "photographs. Every sighting is made up."
        )
        return collection

    def _ingest(self, workspace: Workspace, collection: DemoCollection) -> IngestReport:
        self._title("2. Ingest: decode, hash, embed, catalogue")
        source = open_source(collection.manifest, ImageLimits.from_settings(self._settings))
        with self._out.status("loading the detector"):
            workspace.detector()
        run = workspace.ingest(IngestOptions(stated_by=_STATED_BY))
        with progress("ingest", source.count()) as advance:

            def observe(outcome: ItemOutcome) -> None:
                advance(1)

            report = run.run(source, observe)
        self._say(
            f"{report.added} added, {report.known} known already, {report.rejected} rejected, "
            f"{report.sightings_added} sightings; {report.seen / max(report.seconds, 1e-9):.1f} pictures a second."
        )
        return report

    def _index(self, workspace: Workspace) -> None:
        self._title("3. The vector index")
        status = workspace.index.build()
        spec = workspace.resolved.spec
        self._say(f"{status.count} embeddings of detector {spec.name}; kind: {status.kind}.")
        if not spec.trained:
            self._say("This detector is not trained: it finds files and pictures again, but judges no likeness.")

    def _search(self, workspace: Workspace, queries: Sequence[DemoQuery]) -> list[SearchAnswer]:
        self._title("4. Search with pictures that are not in the catalogue")
        limits = ImageLimits.from_settings(self._settings)
        answers = []
        with progress("search", len(queries)) as advance:
            for query in queries:
                answers.append(workspace.searcher.by_bytes(read_bytes(query.path, limits)))
                advance(1)
        listing = table("asked with", "outcome", "best match", "relation", "score")
        for query, answer in zip(queries, answers, strict=True):
            best = next((match for match in answer.matches if match.holds), None)
            listing.add_row(
                query.what,
                answer.verdict.outcome.value.replace("_", " "),
                "" if best is None else plain(_name(best)),
                "none holds" if best is None else best.relation.value,
                "" if best is None else match_words(best),
            )
        self._out.print(listing)
        for query, answer in zip(queries, answers, strict=True):
            self._out.print(Text.assemble((query.what, "bold"), f": {answer.verdict.summary}"), highlight=False)
        return answers

    def _cluster(self, workspace: Workspace) -> ClusteringRun:
        self._title("5. Campaigns: known fakes that belong together")
        with steps("cluster") as update:
            run = cluster(workspace.catalog, workspace.index, self._settings, progress=update)
        with workspace.catalog.reading() as session:
            largest = campaigns.page(session, limit=_LARGEST_CAMPAIGNS, cursor=None).items
        listing = table("campaign", "name", "images", "platforms")
        for campaign in largest:
            listing.add_row(campaign.id, plain(campaign.name), str(campaign.size), plain(", ".join(campaign.platforms)))
        self._out.print(listing)
        return run

    def _say_done(
        self, ingested: IngestReport, counts: CatalogCounts, clustering: ClusteringRun, seconds: float
    ) -> None:
        self._title("Done")
        self._say(
            f"{counts.images} images ({counts.fake} fake, {counts.authentic} authentic, {counts.unknown} unlabelled), "
            f"{counts.sightings} sightings, {clustering.campaigns} campaigns; {seconds:.0f} s in all."
        )
        self._say("A match to a known fake is a relation between pictures; no match does not make one authentic.")
        if ingested.rejected_file is not None:
            self._say(f"Rejected files, and why: {ingested.rejected_file}")

    def _say_where(self, collection: DemoCollection, overview: Path, pdf: Path, picture: Path) -> None:
        home, command = self._settings.home, _command()
        listing = table("", "")
        listing.show_header = False
        for what, where in (
            ("the report", overview),
            ("one as PDF", pdf),
            ("an answer, drawn", picture),
            ("the pictures", collection.manifest.parent),
            ("the catalogue", home),
            ("search yourself", f"{command} --home {home} search {collection.queries[0].path}"),
            ("start the server", f"make serve   or: {command} --home {home} serve"),
            ("your own fakes", f"{command} ingest FOLDER, then {command} search PICTURE"),
        ):
            listing.add_row(what, plain(where))
        self._out.print(listing)

    def _title(self, text: str) -> None:
        self._out.print(Rule(Text(text, "bold"), align="left"))

    def _say(self, text: str) -> None:
        self._out.print(text, highlight=False)


def _name(match: Match) -> str:
    """What a person would call a match: its file's name in the source it came from."""
    return Path(match.image.sources[0].location).stem if match.image.sources else match.image.image.sha256[:12]


def _overview(reports: Sequence[Path]) -> Path:
    """The page to open first: the HTML with the shortest path."""
    pages = [path for path in reports if path.suffix == ".html"]
    return min(pages or reports, key=lambda path: (len(path.parts), len(path.name)))


def _largest_pdf(reports: Sequence[Path]) -> Path:
    """The PDF of the largest campaign, which is written first."""
    return next((path for path in reports if path.suffix == ".pdf"), reports[0])


def _footnote(fake: Fake) -> str:
    photographs = ", ".join(
        f"{PHOTOGRAPHS[name].shows} ({PHOTOGRAPHS[name].credit}, {PHOTOGRAPHS[name].licence})" for name in fake.of
    )
    return (
        f"Demo: the fake was made with {fake.generator} from photographs of {photographs}. The sightings are made up."
    )


def _command() -> str:
    """What to type to run dejafake: its name, or the path it was run by when the shell would not find it."""
    ran = Path(sys.argv[0])
    return str(ran) if ran.stem == "dejafake" and shutil.which("dejafake") is None else "dejafake"
