"""How often does an altered copy of a known picture find its original first? `python -m benchmarks.copies MANIFEST`

Ingests the manifest, then searches with altered copies of some of its pictures; beside dejafake, in the same run and on
the same copies, stand PDQ alone, the embedding alone and a plain comparison of 32 x 32 grey pixels.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.report import Check, Interval, Report, conclude, peak_memory_mib, wilson
from indexer.answers import SearchOptions
from indexer.catalog import images
from indexer.cli.output import progress
from indexer.errors import DejafakeError
from indexer.imaging.alterations import ALTERATIONS, apply
from indexer.imaging.decoding import decode
from indexer.imaging.hashing import pdq_dihedrals
from indexer.imaging.limits import ImageLimits
from indexer.ingest_report import IngestReport, ItemOutcome
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.verdict import Match
from indexer.vocabulary import Relation
from indexer.workspace import Workspace

UNALTERED = "unaltered"
EXPECTED_FIRST = ("jpeg50", "downscale60", "colour_shift", "mirror")
"""Alterations that PDQ with its eight orientations is made for."""

_NOTHING_HOLDS = "nearest_only"
_GREY_SIDE = 32
_MATCHES = 50
"""Matches asked for: more than ever hold, so that the nearest embedding is among them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One alteration. `first` and the three after `not_first`: how often the original came first.

    The four counts between say by which relation dejafake found it first; `nearest_only`: it was first, but no relation
    holds, so no claim is made of it.
    """

    alteration: str
    first: Interval
    same_file: int
    same_picture: int
    same_origin: int
    nearest_only: int
    not_first: int
    pdq_alone: Interval
    embedding_alone: Interval
    grey_pixels: Interval


@dataclass(frozen=True, slots=True)
class _Known:
    """What the peers search: one row per image of the manifest, in the order of `sha256s`.

    `hashes` [N, 32] uint8; `readable` [N] whether the hash has the quality; `greys` [N, 1024] float32, L2-normalised.
    """

    sha256s: tuple[str, ...]
    hashes: npt.NDArray[np.uint8]
    readable: npt.NDArray[np.bool_]
    greys: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Trial:
    """One search: the relation the original was found first by (None: it was not first), its cosine (None: it was not
    among the matches), and whether it came first for each peer."""

    relation: str | None
    cosine: float | None
    pdq: bool
    embedding: bool
    grey: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.copies", description=__doc__)
    parser.add_argument("manifest", type=Path, help="manifest, folder or archive to ingest")
    parser.add_argument("--queries", type=int, default=100, help="how many of its pictures to search with")
    parser.add_argument("--every", type=int, default=1, help="take each picture, or each second one, or …")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    parser.add_argument("--home", type=Path, help="home folder to ingest into; default: a temporary one")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary)

        def run() -> Report:
            return measure(
                options.manifest, Settings.load(home=home, keep_originals=True), options.queries, options.every
            )

        return conclude("copies", run, options.json)


def measure(manifest: Path, settings: Settings, queries: int, every: int = 1) -> Report:
    """Ingests and measures.

    Args:
        manifest: anything `dejafake ingest` takes.
        settings: of the home that is ingested into; originals must be kept.
        queries: how many pictures are searched with, chosen by the order of their SHA-256.
        every: take each picture (1), or each second one (2), or so on.

    Raises:
        DejafakeError: the manifest cannot be read, or nothing in it is a picture.
    """
    with Workspace(settings) as workspace:
        ingested, sha256s = _ingest(workspace, manifest, every)
        if not sha256s:
            raise DejafakeError(f"{manifest} holds no picture that can be ingested")
        figures = {
            "ingest_pictures_per_second": ingested.seen / ingested.seconds,
            "ingest_peak_memory_mib": peak_memory_mib(),
        }
        workspace.index.build()
        known = _known(workspace, sha256s)
        chosen = sorted(sha256s)[:queries]
        trials: dict[str, list[_Trial]] = {name: [] for name in (UNALTERED, *ALTERATIONS)}
        with progress("search", len(chosen) * len(trials)) as advance:
            for sha256 in chosen:
                for name, trial in _try(workspace, known, sha256).items():
                    trials[name].append(trial)
                advance(len(trials))
        detector = workspace.resolved.spec.name
    rows = tuple(_row(name, made) for name, made in trials.items())
    return Report(
        question="How often does an altered copy find its original first?",
        parameters={
            "detector": detector,
            "pictures": len(known.sha256s),
            "queries": len(chosen),
            "pdq_max_distance": settings.same_picture_max_distance,
            "pdq_min_quality": settings.pdq_min_quality,
        },
        rows=rows,
        checks=_checks(rows, trials, ingested),
        figures={**figures, "peak_memory_mib": peak_memory_mib()},
    )


def _ingest(workspace: Workspace, manifest: Path, every: int) -> tuple[IngestReport, frozenset[str]]:
    source = open_source(manifest, ImageLimits.from_settings(workspace.settings))
    sha256s: set[str] = set()
    run = workspace.ingest()
    with progress("ingest", -(-source.count() // every)) as advance:

        def observe(outcome: ItemOutcome) -> None:
            if outcome.sha256 is not None:
                sha256s.add(outcome.sha256)
            advance(1)

        report = run.run(islice(source, 0, None, every), observe)
    return report, frozenset(sha256s)


def _known(workspace: Workspace, sha256s: frozenset[str]) -> _Known:
    with workspace.catalog.reading() as session:
        ids = images.find_ids(session, sorted(sha256s))
        records = images.details(session, list(ids.values()))
    ordered = sorted(ids)
    found = [records[ids[sha256]].image for sha256 in ordered]
    quality = workspace.settings.pdq_min_quality
    return _Known(
        sha256s=tuple(ordered),
        hashes=np.stack([np.frombuffer(bytes.fromhex(image.pdq), np.uint8) for image in found]),
        readable=np.array([image.pdq_quality >= quality for image in found]),
        greys=np.stack([_grey(_original(workspace, sha256)) for sha256 in ordered]),
    )


def _try(workspace: Workspace, known: _Known, sha256: str) -> dict[str, _Trial]:
    """Searches with the picture and all its altered copies."""
    data = _original_bytes(workspace, sha256)
    rgb = _original(workspace, sha256)
    copies = {UNALTERED: data, **{name: apply(name, rgb) for name in ALTERATIONS}}
    own = known.sha256s.index(sha256)
    return {name: _trial(workspace, known, own, copy) for name, copy in copies.items()}


def _trial(workspace: Workspace, known: _Known, own: int, copy: bytes) -> _Trial:
    answer = workspace.searcher.by_bytes(copy, SearchOptions(limit=_MATCHES, likeness_label=None))
    picture = decode(copy, ImageLimits.from_settings(workspace.settings)).rgb
    relation = None
    if answer.matches and answer.matches[0].image.image.sha256 == known.sha256s[own]:
        relation = answer.matches[0].relation.value if answer.matches[0].holds else _NOTHING_HOLDS
    cosines = {match.image.image.sha256: _cosine(match) for match in answer.matches}
    return _Trial(
        relation=relation,
        cosine=cosines.get(known.sha256s[own]),
        pdq=_first_by_pdq(workspace.settings, known, picture) == own,
        embedding=max(cosines, key=cosines.__getitem__, default=None) == known.sha256s[own],
        grey=int(np.argmax(known.greys @ _grey(picture))) == own,
    )


def _cosine(match: Match) -> float:
    """The cosine of a match's embedding to the query's; the nearest of all is always among the matches."""
    return next(score.value for score in match.scores if score.relation is Relation.SAME_ORIGIN)


def _first_by_pdq(settings: Settings, known: _Known, picture: Image.Image) -> int | None:
    """The image nearest by PDQ in any of eight orientations, if near enough; of equally near ones the first."""
    hashes = [pdq for _, pdq in pdq_dihedrals(picture)]
    if hashes[0].quality < settings.pdq_min_quality:
        return None
    queries = np.stack([np.frombuffer(pdq.bits, np.uint8) for pdq in hashes])
    distances = np.bitwise_count(queries[:, None] ^ known.hashes[None]).sum(axis=2).min(axis=0).astype(np.int64)
    distances[~known.readable] = 256
    first = int(np.argmin(distances))
    return first if distances[first] <= settings.same_picture_max_distance else None


def _grey(picture: Image.Image) -> npt.NDArray[np.float32]:
    """The picture as 32 x 32 grey values, centred and L2-normalised: [1024] float32."""
    small = picture.convert("L").resize((_GREY_SIDE, _GREY_SIDE), Image.Resampling.BOX)
    values = np.asarray(small, np.float32).ravel()
    values = values - values.mean()
    length = float(np.linalg.norm(values))
    return np.asarray(values / (length or 1.0), np.float32)


def _original_bytes(workspace: Workspace, sha256: str) -> bytes:
    data = workspace.originals.get(sha256)
    if data is None:
        raise DejafakeError(f"the original {sha256} is not kept here: use an empty --home")
    return data


def _original(workspace: Workspace, sha256: str) -> Image.Image:
    return decode(_original_bytes(workspace, sha256), ImageLimits.from_settings(workspace.settings)).rgb


def _row(name: str, trials: Sequence[_Trial]) -> Row:
    n = len(trials)
    by = Counter(trial.relation for trial in trials)
    return Row(
        alteration=name,
        first=wilson(n - by[None], n),
        same_file=by[Relation.SAME_FILE.value],
        same_picture=by[Relation.SAME_PICTURE.value],
        same_origin=by[Relation.SAME_ORIGIN.value],
        nearest_only=by[_NOTHING_HOLDS],
        not_first=by[None],
        pdq_alone=wilson(sum(trial.pdq for trial in trials), n),
        embedding_alone=wilson(sum(trial.embedding for trial in trials), n),
        grey_pixels=wilson(sum(trial.grey for trial in trials), n),
    )


def _checks(rows: Sequence[Row], trials: Mapping[str, Sequence[_Trial]], ingested: IngestReport) -> tuple[Check, ...]:
    by_name = {row.alteration: row for row in rows}
    same, n = by_name[UNALTERED], len(trials[UNALTERED])
    cosine = min(trial.cosine or -1.0 for trial in trials[UNALTERED])
    behind = min(row.first.share - row.pdq_alone.share for row in rows)
    return (
        Check("pictures rejected", float(ingested.rejected), "0", ingested.rejected == 0),
        Check("unaltered: found first as same_file", same.same_file / n, "every time", same.same_file == n),
        Check("unaltered: smallest cosine to itself", cosine, "at least 0.999", cosine >= 0.999),
        *(
            Check(
                f"{name}: original first", by_name[name].first.share, "at least 0.95", by_name[name].first.share >= 0.95
            )
            for name in EXPECTED_FIRST
        ),
        Check("first, less PDQ alone, worst alteration", behind, "not below 0", behind >= 0),
    )


if __name__ == "__main__":
    sys.exit(main())
