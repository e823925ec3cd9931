"""The protocol of DISC21 (Douze et al. 2021, arXiv 2106.09672) on a folder of its layout: `benchmarks.disc21 FOLDER`

Every query is compared with every reference by one copy descriptor; the pairs of all queries in one ranking give µAP
and the recall at 90 % precision, as they are and score-normalised against the training set. `--made-up` makes a small
folder of that layout first. Nothing of the data set is shipped: who has it, measures.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.copying.peers import Embed, sscd
from benchmarks.copying.precision import micro_average_precision, recall_at_precision
from benchmarks.made_up.disc21 import make
from benchmarks.reporting.report import Check, Report, conclude
from indexer.arrays import Floats
from indexer.cli.output import progress
from indexer.errors import DejafakeError, UsageError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings

QUESTION = "How well does a copy descriptor do by the protocol of DISC21?"
PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
PAIRS_A_QUERY = 10
NEAREST = 10
"""Of the training set, whose mean similarity to a query is taken from the query's scores."""
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One descriptor, with or without score normalisation. Both figures are 0 to 1."""

    descriptor: str
    normalised: bool
    micro_average_precision: float
    recall_at_precision_90: float


@dataclass(frozen=True, slots=True)
class Disc21:
    """The pictures by their name without its ending, and the pairs (query, reference) that are copies."""

    queries: tuple[Path, ...]
    references: tuple[Path, ...]
    training: tuple[Path, ...]
    truth: frozenset[tuple[str, str]]


def read(folder: Path) -> Disc21:
    """A folder with `queries…`, `references…` and `training…` folders of pictures and a `…ground_truth….csv` of
    (query, reference) rows, the reference empty where a query has none. A list `queries.txt`, `references.txt` or
    `training.txt` of names, if there is one, says which of the pictures take part.

    Raises:
        UsageError: one of these is missing, or says nothing.
    """
    queries, references, training = (_pictures(folder, kind) for kind in ("queries", "references", "training"))
    tables = sorted(folder.glob("*ground_truth*.csv"))
    if not tables:
        raise UsageError(f"{folder} has no ground truth: a CSV file such as public_ground_truth.csv is needed")
    truth = set()
    for line in tables[0].read_text(encoding="utf-8").splitlines():
        query, _, reference = (part.strip() for part in line.partition(","))
        if reference and query.lower() not in ("query_id", "query"):
            truth.add((Path(query).stem, Path(reference).stem))
    for kind, pictures in (("queries", queries), ("references", references)):
        if not pictures:
            raise UsageError(f"{folder} has no pictures in a folder {kind!r}")
    names = {path.stem for path in queries}
    taking_part = frozenset(pair for pair in truth if pair[0] in names)
    if not taking_part:
        raise UsageError(f"{tables[0]} names a reference for none of the queries")
    return Disc21(queries, references, training, taking_part)


def _pictures(folder: Path, kind: str) -> tuple[Path, ...]:
    stem = {"queries": "quer", "references": "ref", "training": "train"}[kind]
    folders = [path for path in sorted(folder.glob(f"{stem}*")) if path.is_dir()]
    paths = sorted(path for part in folders for path in part.rglob("*") if path.suffix.lower() in PICTURES)
    listed = folder / f"{kind}.txt"
    if listed.exists():
        names = {Path(line.strip()).stem for line in listed.read_text(encoding="utf-8").splitlines() if line.strip()}
        paths = [path for path in paths if path.stem in names]
    return tuple(paths)


def measure(data: Disc21, embeds: dict[str, Embed], limits: ImageLimits) -> Report:
    """Two rows for each descriptor: as its cosines are, and normalised, where there is a training set.

    Raises:
        DejafakeError: a picture cannot be read.
    """
    rows = []
    for name, embed in embeds.items():
        queries, references, training = (
            _vectors(name, embed, paths, limits) for paths in (data.queries, data.references, data.training)
        )
        rows.append(_row(name, data, queries, references, np.zeros(len(queries), np.float32), normalised=False))
        if len(training):
            rows.append(_row(name, data, queries, references, level(queries, training), normalised=True))
    shown = [row.micro_average_precision for row in rows]
    parameters = {
        "queries": len(data.queries),
        "references": len(data.references),
        "training": len(data.training),
        "pairs_that_are_copies": len(data.truth),
    }
    check = Check("µAP is a share", max(shown), "0 to 1", all(0 <= value <= 1 for value in shown))
    return Report(QUESTION, parameters, tuple(rows), (check,))


def level(queries: Floats, training: Floats) -> Floats:
    """The mean cosine of each query [N, D] to the `NEAREST` most similar of the training set [T, D]: [N]."""
    nearest = min(NEAREST, len(training))
    levels = [
        np.partition(queries[start : start + _AT_ONCE] @ training.T, -nearest, axis=1)[:, -nearest:].mean(axis=1)
        for start in range(0, len(queries), _AT_ONCE)
    ]
    return np.concatenate(levels).astype(np.float32)


def _row(name: str, data: Disc21, queries: Floats, references: Floats, levels: Floats, *, normalised: bool) -> Row:
    best = min(PAIRS_A_QUERY, len(references))
    scores, right = [], []
    for start in range(0, len(queries), _AT_ONCE):
        cosines = queries[start : start + _AT_ONCE] @ references.T
        for row, columns in enumerate(np.argpartition(-cosines, best - 1, axis=1)[:, :best]):
            query = data.queries[start + row].stem
            scores += (cosines[row, columns] - levels[start + row]).tolist()
            right += [(query, data.references[column].stem) in data.truth for column in columns]
    of = np.array(scores, np.float32), np.array(right, np.float32), len(data.truth)
    return Row(name, normalised, round(micro_average_precision(*of), 4), round(recall_at_precision(*of), 4))


def _vectors(name: str, embed: Embed, paths: Sequence[Path], limits: ImageLimits) -> Floats:
    if not paths:
        return np.zeros((0, 1), np.float32)
    vectors = []
    with progress(f"{name}, {paths[0].parent.name}", len(paths)) as advance:
        for path in paths:
            try:
                vectors.append(embed(decode(path.read_bytes(), limits).rgb))
            except DejafakeError as error:
                raise UsageError(f"{path}: {error}") from error
            advance(1)
    return np.stack(vectors)


def bundled(settings: Settings) -> dict[str, Embed]:
    """The copy descriptor of the settings.

    Raises:
        UsageError: there is none.
    """
    from indexer.copies.descriptor import resolve_descriptor
    from indexer.copies.descriptor.loading import load_descriptor

    resolved = resolve_descriptor(settings.copy_descriptor)
    if resolved is None:
        raise UsageError("the setting DEJAFAKE_COPY_DESCRIPTOR is off: name a descriptor, or give --sscd FOLDER")
    descriptor = load_descriptor(settings, resolved)

    def embed(picture: Image.Image) -> Floats:
        return np.asarray(descriptor.run(descriptor.prepare(picture)[None])[0], np.float32)

    return {resolved.spec.name: embed}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when the protocol ran, 2 when it could not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disc21", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the data set, or where --made-up makes one")
    parser.add_argument("--made-up", action="store_true", help="make a small folder of the layout there first")
    parser.add_argument("--sscd", type=Path, metavar="FOLDER", help="SSCD's ONNX files: measured too")
    parser.add_argument("--only-sscd", action="store_true", help="leave the bundled descriptor out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file")
    given = parser.parse_args(arguments)
    settings = Settings()

    def run() -> Report:
        if given.made_up:
            make(given.folder)
        data = read(given.folder)
        embeds: dict[str, Embed] = {} if given.only_sscd else bundled(settings)
        embeds |= sscd(given.sscd) if given.sscd is not None else {}
        return measure(data, embeds, ImageLimits.from_settings(settings))

    return conclude("disc21", run, given.json)


if __name__ == "__main__":
    sys.exit(main())
