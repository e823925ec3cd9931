"""What evidence groups re-shared copies rightly? `python -m benchmarks.copy_campaigns MANIFEST`

Ingests the known fakes of a manifest with altered copies of some of them, then groups all by PDQ alone and by PDQ with
the detector's embeddings at rising cosine bounds. A group is right where all its images are copies of one picture.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.reporting.report import Check, Report, conclude
from indexer.campaigns.grouping.clustering import GroupingRule, group_images
from indexer.campaigns.grouping.evidence import copy_links, embedding_links, known_fakes
from indexer.campaigns.grouping.graph import Links, cosine_distance, links
from indexer.cli.output import progress
from indexer.detector.spec import DEFAULT_MIN_COSINE
from indexer.errors import DejafakeError
from indexer.imaging.alterations import ALTERATIONS, apply
from indexer.imaging.decoding import decode, sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.settings import Settings
from indexer.sources import Source, SourceItem, SourceRejection, open_source
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace

BOUNDS = (None, 0.999, 0.99, 0.98, 0.95)
"""Smallest cosines that count as evidence; None: no cosine does."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of evidence. `grouped` images are in some group, `wrongly` those outside the majority of theirs; then
    the share of each alteration's copies that are grouped."""

    evidence: str
    groups: int
    grouped: int
    wrongly: int
    jpeg50: float
    downscale60: float
    colour_shift: float
    mirror: float
    crop5: float
    crop10: float
    screenshot_border: float
    caption_bar: float


@dataclass(frozen=True, slots=True)
class _Origin:
    """Which picture an image was made from, and how (None: it is that picture)."""

    picture: str
    alteration: str | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.copy_campaigns", description=__doc__)
    parser.add_argument("manifest", type=Path, help="manifest, folder or archive with known fakes")
    parser.add_argument("--copied", type=int, default=60, help="how many of them are re-shared in altered copies")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        settings = Settings.load(home=Path(home), keep_originals=False)
        return conclude("copy_campaigns", lambda: measure(options.manifest, settings, options.copied), options.json)


def measure(manifest: Path, settings: Settings, copied: int) -> Report:
    """Ingests and groups.

    Raises:
        DejafakeError: the manifest cannot be read, or holds no known fakes.
    """
    limits = ImageLimits.from_settings(settings)
    origins: dict[str, _Origin] = {}
    items = list(_with_copies(_fakes(open_source(manifest, limits)), limits, copied, origins))
    if not items:
        raise DejafakeError(f"{manifest} holds no known fakes: nothing can be grouped")
    with Workspace(settings) as workspace:
        with progress("ingest", len(items)) as advance:
            workspace.ingest(IngestOptions(label=LabelValue.FAKE)).run(items, lambda _: advance(1))
        workspace.index.build()
        fakes = known_fakes(workspace.catalog, settings, _silent)
        origins_of_fakes = [origins[fake.sha256] for fake in fakes]
        copies = copy_links(fakes, settings, _silent)
        alike = embedding_links(fakes, copies, workspace.index, settings, float(cosine_distance(-1.0)), _silent)
        rows = tuple(_row(bound, origins_of_fakes, copies, alike, settings) for bound in BOUNDS)
        detector = workspace.resolved.spec.name
    return Report(
        question="What evidence groups re-shared copies rightly?",
        parameters={
            "detector": detector,
            "images": len(fakes),
            "copied": copied,
            "min_size": settings.campaign_min_size,
        },
        rows=rows,
        checks=(Check("images grouped wrongly by PDQ alone", float(rows[0].wrongly), "0", rows[0].wrongly == 0),),
    )


def _fakes(source: Source) -> Iterator[SourceItem]:
    for item in source:
        if not isinstance(item, SourceRejection) and item.value is LabelValue.FAKE:
            yield item


def _with_copies(
    fakes: Iterator[SourceItem], limits: ImageLimits, copied: int, origins: dict[str, _Origin]
) -> Iterator[SourceItem]:
    for number, item in enumerate(fakes):
        data = item.read()
        picture = sha256_hex(data)
        files: Mapping[str | None, bytes] = {None: data}
        if number < copied:
            rgb = decode(data, limits).rgb
            files = {**files, **{name: apply(name, rgb) for name in ALTERATIONS}}
        for alteration, file in files.items():
            origins[sha256_hex(file)] = _Origin(picture, alteration)
            yield SourceItem("copies", f"{item.location} {alteration or ''}", partial(bytes, file))


def _row(bound: float | None, fakes_origins: Sequence[_Origin], copies: Links, alike: Links, settings: Settings) -> Row:
    evidence = links([], [], []) if bound is None else alike
    smallest = DEFAULT_MIN_COSINE if bound is None else bound
    rule = GroupingRule(settings.campaign_min_size, float(cosine_distance(smallest)))
    group_of = group_images(len(fakes_origins), copies, evidence, rule).group_of.tolist()
    groups: dict[int, Counter[str]] = {}
    for group, origin in zip(group_of, fakes_origins, strict=True):
        if group >= 0:
            groups.setdefault(group, Counter())[origin.picture] += 1
    return Row(
        evidence="PDQ only" if bound is None else f"and cosine of at least {bound}",
        groups=len(groups),
        grouped=sum(group >= 0 for group in group_of),
        wrongly=sum(count.total() - max(count.values()) for count in groups.values()),
        **{name: _share(name, group_of, fakes_origins) for name in ALTERATIONS},
    )


def _share(alteration: str, group_of: Sequence[int], fakes_origins: Sequence[_Origin]) -> float:
    inside = [
        group >= 0 for group, origin in zip(group_of, fakes_origins, strict=True) if origin.alteration == alteration
    ]
    return round(sum(inside) / len(inside), 3) if inside else 0.0


def _silent(_step: str, _done: int, _total: int) -> None: ...


if __name__ == "__main__":
    sys.exit(main())
