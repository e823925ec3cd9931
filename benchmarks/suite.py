"""All benchmarks, one after the other, and `benchmarks/RESULTS.md` from what they found: `make bench`.

`python -m benchmarks.suite [--full] [--pictures MANIFEST] [--only NAME …] [--render]`. Each is a process of its own and
leaves its JSON in `benchmarks/results/`; `--render` writes the page from what lies there without measuring.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.reporting.plots import draw

HERE = Path(__file__).parent
RESULTS, PLOTS, PAGE = HERE / "results", HERE / "plots", HERE / "RESULTS.md"
PICTURES = "{pictures}"


@dataclass(frozen=True, slots=True)
class Part:
    """A benchmark, and what it is called with beside `--json`. Where `PICTURES` is among that, it needs some;
    `with_pictures` is added where there are some, `full_with_pictures` only to `full`."""

    name: str
    small: tuple[str, ...] = ()
    full: tuple[str, ...] = ("--full",)
    with_pictures: tuple[str, ...] = ()
    full_with_pictures: tuple[str, ...] = ()

    def arguments(self, *, full: bool, pictures: Path | None) -> tuple[str, ...] | None:
        """Its arguments, None when it needs pictures and there are none."""
        given = self.full if full else self.small
        if pictures is not None:
            given += self.with_pictures + (self.full_with_pictures if full else ())
        if PICTURES in given and pictures is None:
            return None
        return tuple(str(pictures) if word == PICTURES else word for word in given)


PARTS = (
    Part("start", ("--rounds", "3")),
    Part("extraction", with_pictures=("--pictures", PICTURES)),
    Part("ingest"),
    Part("service"),
    Part("vectors"),
    Part("filters"),
    Part("updates", ("--merges", "15")),
    Part("growth"),
    Part("campaigns", full_with_pictures=("--corpus", PICTURES)),
    Part("enrichment", ("--rows", "300"), ("--rows", "10000")),
    Part("catalog", ("--images", "50000"), ("--images", "1000000")),
    Part("workbench", ("--images", "50000"), ("--images", "1000000")),
    Part("rollout", ("--rounds", "1"), ()),
    Part("copies", (PICTURES, "--queries", "1", "--every", "3"), (PICTURES, "--traps", "made", "--queries", "10")),
    Part("copies_at_scale", ("--images", "20000", "--searches", "15"), ("--images", "1000000")),
    Part("difference", (PICTURES, "--pictures", "6"), (PICTURES,)),
    Part("regions", (PICTURES, "--queries", "20", "--every", "3"), (PICTURES,)),
    Part("previews", (PICTURES, "--pictures", "24"), (PICTURES,)),
    Part("watermark", ("--pictures", PICTURES, "--marked", "4"), ("--pictures", PICTURES)),
)


def run(parts: Sequence[Part], *, full: bool, pictures: Path | None) -> None:
    """Runs the parts in turn and leaves their JSON; says which could not be run and why."""
    RESULTS.mkdir(exist_ok=True)
    for part in parts:
        arguments = part.arguments(full=full, pictures=pictures)
        if arguments is None:
            print(f"{part.name}: left out, it needs pictures: make bench PICTURES=manifest.csv", flush=True)
            continue
        print(f"── {part.name} ──", flush=True)
        started = monotonic()
        command = [sys.executable, "-m", f"benchmarks.{part.name}", *arguments, "--json", str(_result(part.name))]
        code = subprocess.run(command, check=False, cwd=HERE.parent).returncode
        said = {0: "every check holds", 1: "a check does not hold"}.get(code, f"failed with exit code {code}")
        print(f"{part.name}: {said} ({monotonic() - started:.0f} s)", flush=True)


def page(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """`RESULTS.md`: the machine, every check, and each benchmark's rows, figures and plots. Draws the plots."""
    return "\n".join(_page(documents)) + "\n"


def _page(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "# What was measured"
    yield ""
    yield "Written by `python -m benchmarks.suite`; do not edit. Every figure comes from one run of the command above"
    yield "its table. Machines differ and are noisy: compare what stands side by side, not figures of two pages."
    yield ""
    yield from dict.fromkeys(_machine(document) for document in documents.values())
    yield ""
    yield "## Aims"
    yield ""
    yield "| benchmark | aim | measured | wanted | holds |"
    yield "|---|---|---|---|---|"
    for name, document in documents.items():
        for check in document["checks"]:
            holds = "yes" if check["holds"] else "**no**"
            yield f"| [{name}](#{name}) | {check['name']} | {_cell(check['value'])} | {check['aim']} | {holds} |"
    for name, document in documents.items():
        yield ""
        yield from _section(name, document)


def _section(name: str, document: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield document["question"]
    yield ""
    parameters = ", ".join(f"{key} {_cell(value)}" for key, value in _parameters(document))
    yield f"`python -m benchmarks.{name}`, {parameters}. Commit {document.get('commit') or 'unknown'}."
    rows = document["rows"]
    if rows:
        yield ""
        yield f"| {' | '.join(column.replace('_', ' ') for column in rows[0])} |"
        yield f"|{'---|' * len(rows[0])}"
        for row in rows:
            yield f"| {' | '.join(_cell(value) for value in row.values())} |"
    if document["figures"]:
        yield ""
        yield "; ".join(f"{key.replace('_', ' ')}: {_cell(value)}" for key, value in document["figures"].items()) + "."
    for number, plot in enumerate(document.get("plots", ())):
        path = PLOTS / f"{name}-{number}.svg"
        draw(plot, path)
        yield ""
        yield f"![{plot['title']}](plots/{path.name})"


def _parameters(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in document["parameters"].items():
        yield key.replace("_", " "), ", ".join(map(_cell, value)) if isinstance(value, list) else value


def _machine(document: Mapping[str, Any]) -> str:
    told = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return (
        f"Machine: {told['processor']}, {told['cores']} cores, {told['memory_gib']:g} GiB, {told['system']}; "
        f"Python {told['python']}; {versions}."
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict) and set(value) == {"share", "low", "high", "n"}:
        return f"{value['share']:.0%} [{value['low']:.0%}, {value['high']:.0%}]"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).replace("|", "\\|")
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1_000 else f"{value:.4g}"


def _result(name: str) -> Path:
    return RESULTS / f"{name}.json"


def main() -> int:
    """Run as a command."""
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suite", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the large sizes: hours, not minutes")
    parser.add_argument("--pictures", type=Path, help="manifest of pictures, for the benchmarks that need real ones")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--render", action="store_true", help="measure nothing: write the page anew")
    arguments = parser.parse_args()
    if not arguments.render:
        parts = [part for part in PARTS if part.name in arguments.only]
        run(parts, full=arguments.full, pictures=arguments.pictures)
    results = {name: json.loads(_result(name).read_text("utf-8")) for name in names if _result(name).exists()}
    PAGE.write_text(page(results), encoding="utf-8")
    missed = [check["name"] for document in results.values() for check in document["checks"] if not check["holds"]]
    print(f"{PAGE.name} written: {len(results)} benchmarks, {len(missed)} aims missed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
