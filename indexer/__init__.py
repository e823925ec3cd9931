"""Everything in dejafake that knows pictures, vectors and the catalogue; usable as a library (docs/library.md).

What `__all__` names is the library; all else may move. Each name is imported when it is first asked for, so that
`import indexer` costs nothing. The HTTP service lives in `search_api`, which imports this package, never the reverse.
"""

from typing import TYPE_CHECKING

__version__: str

if TYPE_CHECKING:  # what type checkers and editors read; `_PLACES` says the same when it runs
    from indexer.calibration import CalibrationVersion as CalibrationVersion
    from indexer.calibration import ScoreHead as ScoreHead
    from indexer.calibration.fit import CalibrationOptions as CalibrationOptions
    from indexer.calibration.fit import Material as Material
    from indexer.calibration.fit import calibrate as calibrate
    from indexer.campaigns import CampaignReport as CampaignReport
    from indexer.campaigns import ReportFormat as ReportFormat
    from indexer.campaigns import ReportOptions as ReportOptions
    from indexer.campaigns import campaign_report as campaign_report
    from indexer.campaigns import cluster as cluster
    from indexer.campaigns import write_reports as write_reports
    from indexer.campaigns.novelty import Novelty as Novelty
    from indexer.campaigns.novelty import outside_campaigns as outside_campaigns
    from indexer.campaigns.report.wording import link_reasons as link_reasons
    from indexer.catalog.records.campaigns import Campaign as Campaign
    from indexer.catalog.records.campaigns import CampaignMember as CampaignMember
    from indexer.catalog.records.campaigns import ClusteringRun as ClusteringRun
    from indexer.catalog.records.campaigns import Membership as Membership
    from indexer.catalog.records.detections import Detection as Detection
    from indexer.catalog.records.filters import ImageFilter as ImageFilter
    from indexer.catalog.records.hash_lists import ListedHash as ListedHash
    from indexer.catalog.records.images import CatalogCounts as CatalogCounts
    from indexer.catalog.records.images import Image as Image
    from indexer.catalog.records.images import ImageDetails as ImageDetails
    from indexer.catalog.records.labels import CurrentLabel as CurrentLabel
    from indexer.catalog.records.labels import Label as Label
    from indexer.catalog.records.labels import NewLabel as NewLabel
    from indexer.catalog.records.pages import Page as Page
    from indexer.catalog.records.provenance import ProvenanceFinding as ProvenanceFinding
    from indexer.demo.collection import DemoCollection as DemoCollection
    from indexer.demo.collection import DemoQuery as DemoQuery
    from indexer.demo.collection import make_collection as make_collection
    from indexer.demo.small import small_demo as small_demo
    from indexer.detector import Detector as Detector
    from indexer.detector import DetectorOutput as DetectorOutput
    from indexer.errors import CampaignGoneError as CampaignGoneError
    from indexer.errors import CatalogError as CatalogError
    from indexer.errors import CatalogTooNewError as CatalogTooNewError
    from indexer.errors import ConflictError as ConflictError
    from indexer.errors import DejafakeError as DejafakeError
    from indexer.errors import DetectorError as DetectorError
    from indexer.errors import FingerprintMismatchError as FingerprintMismatchError
    from indexer.errors import ImageRejectedError as ImageRejectedError
    from indexer.errors import NotFoundError as NotFoundError
    from indexer.errors import OriginalChangedError as OriginalChangedError
    from indexer.errors import ReadOnlyError as ReadOnlyError
    from indexer.errors import SourceError as SourceError
    from indexer.errors import UnavailableError as UnavailableError
    from indexer.errors import UsageError as UsageError
    from indexer.errors import VectorIndexError as VectorIndexError
    from indexer.errors import WeightsRefusedError as WeightsRefusedError
    from indexer.errors import WeightsUnavailableError as WeightsUnavailableError
    from indexer.evaluation.calibrating import run_calibration as run_calibration
    from indexer.examine.comparison import Comparison as Comparison
    from indexer.examine.comparison import PictureComparison as PictureComparison
    from indexer.examine.comparison import compare_pictures as compare_pictures
    from indexer.exchange import export_images as export_images
    from indexer.exchange.export import ImageWriter as ImageWriter
    from indexer.heads import HeadFinding as HeadFinding
    from indexer.imaging.decoding import DecodedImage as DecodedImage
    from indexer.imaging.decoding import decode as decode
    from indexer.imaging.hashing import PdqHash as PdqHash
    from indexer.imaging.hashing import hamming as hamming
    from indexer.imaging.hashing import pdq_hash as pdq_hash
    from indexer.imaging.limits import ImageLimits as ImageLimits
    from indexer.ingest.report import IngestOptions as IngestOptions
    from indexer.ingest.report import IngestReport as IngestReport
    from indexer.ingest.report import ItemOutcome as ItemOutcome
    from indexer.search.answers import QueryFacts as QueryFacts
    from indexer.search.answers import SearchAnswer as SearchAnswer
    from indexer.search.answers import SearchOptions as SearchOptions
    from indexer.settings import Settings as Settings
    from indexer.sightings import NewSighting as NewSighting
    from indexer.sightings import Sighting as Sighting
    from indexer.sources import DateOrder as DateOrder
    from indexer.sources import Remark as Remark
    from indexer.sources import Source as Source
    from indexer.sources import SourceItem as SourceItem
    from indexer.sources import SourceRejection as SourceRejection
    from indexer.sources import SourceSkip as SourceSkip
    from indexer.sources import open_source as open_source
    from indexer.verdict.case import IndexReference as IndexReference
    from indexer.verdict.deciding import MatchedItem as MatchedItem
    from indexer.verdict.deciding import Verdict as Verdict
    from indexer.verdict.evidence import Evidence as Evidence
    from indexer.verdict.findings import CalibrationReference as CalibrationReference
    from indexer.verdict.findings import DetectorFinding as DetectorFinding
    from indexer.verdict.matches import ListedMatch as ListedMatch
    from indexer.verdict.matches import Match as Match
    from indexer.verdict.relations import Band as Band
    from indexer.verdict.relations import RelationScore as RelationScore
    from indexer.vocabulary import CampaignState as CampaignState
    from indexer.vocabulary import Direction as Direction
    from indexer.vocabulary import EvidenceKind as EvidenceKind
    from indexer.vocabulary import LabelSource as LabelSource
    from indexer.vocabulary import LabelValue as LabelValue
    from indexer.vocabulary import MemberState as MemberState
    from indexer.vocabulary import Outcome as Outcome
    from indexer.vocabulary import ProvenanceKind as ProvenanceKind
    from indexer.vocabulary import Relation as Relation
    from indexer.vocabulary import Technique as Technique
    from indexer.workspace import Workspace as Workspace

_PLACES = {
    "indexer.verdict.case": ("IndexReference",),
    "indexer.calibration": (
        "CalibrationVersion",
        "ScoreHead",
    ),
    "indexer.calibration.fit": (
        "CalibrationOptions",
        "Material",
        "calibrate",
    ),
    "indexer.campaigns": (
        "CampaignReport",
        "ReportFormat",
        "ReportOptions",
        "campaign_report",
        "cluster",
        "write_reports",
    ),
    "indexer.campaigns.novelty": (
        "Novelty",
        "outside_campaigns",
    ),
    "indexer.campaigns.report.wording": ("link_reasons",),
    "indexer.catalog.records.campaigns": (
        "Campaign",
        "CampaignMember",
        "ClusteringRun",
        "Membership",
    ),
    "indexer.catalog.records.detections": ("Detection",),
    "indexer.catalog.records.filters": ("ImageFilter",),
    "indexer.catalog.records.hash_lists": ("ListedHash",),
    "indexer.catalog.records.images": (
        "CatalogCounts",
        "Image",
        "ImageDetails",
    ),
    "indexer.catalog.records.labels": (
        "CurrentLabel",
        "Label",
        "NewLabel",
    ),
    "indexer.catalog.records.pages": ("Page",),
    "indexer.catalog.records.provenance": ("ProvenanceFinding",),
    "indexer.demo.collection": (
        "DemoCollection",
        "DemoQuery",
        "make_collection",
    ),
    "indexer.demo.small": ("small_demo",),
    "indexer.detector": (
        "Detector",
        "DetectorOutput",
    ),
    "indexer.errors": (
        "CampaignGoneError",
        "CatalogError",
        "CatalogTooNewError",
        "ConflictError",
        "DejafakeError",
        "DetectorError",
        "FingerprintMismatchError",
        "ImageRejectedError",
        "NotFoundError",
        "OriginalChangedError",
        "ReadOnlyError",
        "SourceError",
        "UnavailableError",
        "UsageError",
        "VectorIndexError",
        "WeightsRefusedError",
        "WeightsUnavailableError",
    ),
    "indexer.evaluation.calibrating": ("run_calibration",),
    "indexer.examine.comparison": (
        "Comparison",
        "PictureComparison",
        "compare_pictures",
    ),
    "indexer.exchange": ("export_images",),
    "indexer.exchange.export": ("ImageWriter",),
    "indexer.heads": ("HeadFinding",),
    "indexer.imaging.decoding": (
        "DecodedImage",
        "decode",
    ),
    "indexer.imaging.hashing": (
        "PdqHash",
        "hamming",
        "pdq_hash",
    ),
    "indexer.imaging.limits": ("ImageLimits",),
    "indexer.ingest.report": (
        "IngestOptions",
        "IngestReport",
        "ItemOutcome",
    ),
    "indexer.search.answers": (
        "QueryFacts",
        "SearchAnswer",
        "SearchOptions",
    ),
    "indexer.settings": ("Settings",),
    "indexer.sightings": (
        "NewSighting",
        "Sighting",
    ),
    "indexer.sources": (
        "DateOrder",
        "Remark",
        "Source",
        "SourceItem",
        "SourceRejection",
        "SourceSkip",
        "open_source",
    ),
    "indexer.verdict.deciding": (
        "MatchedItem",
        "Verdict",
    ),
    "indexer.verdict.evidence": ("Evidence",),
    "indexer.verdict.findings": (
        "CalibrationReference",
        "DetectorFinding",
    ),
    "indexer.verdict.matches": (
        "ListedMatch",
        "Match",
    ),
    "indexer.verdict.relations": (
        "Band",
        "RelationScore",
    ),
    "indexer.vocabulary": (
        "CampaignState",
        "Direction",
        "EvidenceKind",
        "LabelSource",
        "LabelValue",
        "MemberState",
        "Outcome",
        "ProvenanceKind",
        "Relation",
        "Technique",
    ),
    "indexer.workspace": ("Workspace",),
}
"""Module -> the public names that are made there."""

_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}

__all__ = sorted(["__version__", *_MODULE_OF])

if not TYPE_CHECKING:  # a checker that saw this would take every name for one that exists

    def __getattr__(name: str) -> object:
        """The public name `name`, imported now; `__version__`, looked up now."""
        if name == "__version__":
            return _version()
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_MODULE_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """Looked up when it is asked for: the command line must be there to hear Ctrl-C before that."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("dejafake")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+uninstalled"
