"""How a benchmark reports: rows, checks with their aims, the machine and the versions; as a table and as JSON.

What is measured lives in the other modules, one a question.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from indexer.errors import DejafakeError
from indexer.estimates import wilson as estimated_by_wilson

PACKAGES = ("numpy", "pillow", "pdqhash", "torch", "timm", "faiss-cpu", "scikit-learn", "sqlalchemy")


@dataclass(frozen=True, slots=True)
class Interval:
    """A share of `n` trials with its 95 % interval. All in [0, 1]."""

    share: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.share:.0%} [{self.low:.0%}, {self.high:.0%}]"


@dataclass(frozen=True, slots=True)
class Check:
    """One promise: what was measured (`value`), what was wanted (`aim`, for a person) and whether it `holds`."""

    name: str
    value: float | str
    aim: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a benchmark ran. `memory_gib` is physical memory, 0 where the system does not tell."""

    system: str
    processor: str
    cores: int
    memory_gib: float
    python: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What `benchmarks.suite` draws: points (x, y) by the name of their series. `log` makes both axes logarithmic."""

    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    log: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one benchmark. `rows` are frozen dataclasses of one class; `figures` are single numbers, their
    unit at the end of the name."""

    question: str
    parameters: Mapping[str, Any]
    rows: tuple[Any, ...]
    checks: tuple[Check, ...]
    figures: Mapping[str, float] = field(default_factory=dict)
    plots: tuple[Plot, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)

    def as_json(self) -> str:
        """The report with machine and versions, as JSON."""
        document = {
            "question": self.question,
            "commit": commit(),
            "machine": asdict(machine()),
            "versions": versions(),
            "parameters": dict(self.parameters),
            "figures": dict(self.figures),
            "rows": [asdict(row) for row in self.rows],
            "checks": [asdict(check) for check in self.checks],
            "plots": [asdict(plot) for plot in self.plots],
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def commit() -> str:
    """The commit of this checkout, with `-dirty` where something in it was changed; empty where there is none."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    )
    return told.stdout.strip() if told.returncode == 0 else ""


def wilson(successes: int, n: int) -> Interval:
    """Wilson's 95 % interval of a proportion (Wilson 1927, JASA 22:209). `n` 0 gives [0, 1]."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion")
    if n == 0:
        return Interval(0.0, 0.0, 1.0, 0)
    interval = estimated_by_wilson(successes, n)
    return Interval(interval.value, *interval.bounds, n)


def machine() -> Machine:
    """This machine, without its name."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        memory = 0.0
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gib=round(memory, 1),
        python=platform.python_version(),
    )


def versions() -> dict[str, str]:
    """Versions of the packages that shape the figures; those not installed are left out."""
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            continue
    return installed


def peak_memory_mib() -> float:
    """Peak resident memory of this process so far, in MiB.

    On Linux not by getrusage: what that says, a process begins with the peak of the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return float(peak.split()[1]) / 2**10
    import resource

    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / (2**20 if sys.platform == "darwin" else 2**10)


def conclude(name: str, measure: Callable[[], Report], to: Path | None) -> int:
    """Measures, prints the report and writes it `to` a file.

    Returns:
        The exit code: 0 when every check holds, 1 when one does not, 2 when it could not be measured.
    """
    try:
        report = measure()
    except DejafakeError as error:
        print(f"benchmarks.{name}: {error}", file=sys.stderr)
        return 2
    show(report, Console())
    if to is not None:
        write(report, to)
    return 0 if report.holds else 1


def show(report: Report, console: Console) -> None:
    """Prints rows, figures and checks."""
    if report.rows:
        console.print(_rows_table(report.question, report.rows))
    for name, value in report.figures.items():
        console.print(f"{name.replace('_', ' ')}: {value:,.4g}", highlight=False)
    table = Table(title="checks", title_justify="left", box=None, pad_edge=False)
    for column in ("check", "value", "aim", "holds"):
        table.add_column(column, overflow="fold")
    for check in report.checks:
        holds = "[green]yes[/green]" if check.holds else "[red]no[/red]"
        table.add_row(check.name, _cell(check.value), check.aim, holds)
    console.print(table)


def write(report: Report, path: Path) -> None:
    """Writes the report as JSON, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.as_json(), encoding="utf-8")


def _rows_table(title: str, rows: Sequence[Any]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    names = [column.name for column in fields(rows[0])]
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=name == names[0])
    for row in rows:
        table.add_row(*(_cell(getattr(row, name)) for name in names))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
