"""`make bench`: every benchmark it names can be run as it runs them, and the page shows what they found."""

import json
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import suite
from benchmarks.growth import Size, slope
from benchmarks.reporting.report import Check, Plot, Report


@dataclass(frozen=True)
class Row:
    """A row of a made-up benchmark."""

    engine: str
    queries_a_second: float


def report(value: float) -> Report:
    return Report(
        "Which is faster?",
        {"sizes": [10_000, 20_000]},
        (Row("ours | here", 12_345.0), Row("theirs", 3.0)),
        (Check("twice as fast", value, "≥ 2", value >= 2),),
        {"memory_mib": 7.0},
        (Plot("Speed", "size", "seconds", {"ours": ((10.0, 1.0), (100.0, 2.0))}, log=True),),
    )


@pytest.mark.parametrize("part", suite.PARTS, ids=lambda part: part.name)
@pytest.mark.parametrize("full", [False, True], ids=["small", "full"])
def test_every_part_takes_the_arguments_it_is_given(
    part: suite.Part, full: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_spec(f"benchmarks.{part.name}"), "there is such a benchmark"
    arguments = part.arguments(full=full, pictures=Path("manifest.csv"))
    assert arguments is not None
    module = import_module(f"benchmarks.{part.name}")
    monkeypatch.setattr("sys.argv", [part.name, *arguments, "--json", "out.json", "--help"])
    with pytest.raises(SystemExit) as stopped:
        module.main()
    assert stopped.value.code == 0, capsys.readouterr().err


def test_what_needs_pictures_is_left_out_without() -> None:
    needing = [part.name for part in suite.PARTS if part.arguments(full=False, pictures=None) is None]
    assert needing == ["copies", "difference", "regions", "previews", "watermark"]


def test_the_page_shows_aims_rows_figures_and_plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "PLOTS", tmp_path)
    document = json.loads(report(1.5).as_json())
    page = suite.page({"speed": document})
    assert f"Commit {document['commit']}." in page
    assert "| [speed](#speed) | twice as fast | 1.5 | ≥ 2 | **no** |" in page
    assert "| engine | queries a second |" in page
    assert "| ours \\| here | 12,345 |" in page
    assert "memory mib: 7." in page
    assert "sizes 10,000, 20,000" in page
    drawn = tmp_path / "speed-0.svg"
    assert f"(plots/{drawn.name})" in page
    first = drawn.read_bytes()
    assert b"<svg" in first
    suite.page({"speed": document})
    assert drawn.read_bytes() == first, "the same points, the same bytes"


def test_one_machine_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "PLOTS", tmp_path)
    document = json.loads(report(3).as_json())
    page = suite.page({"one": document, "two": document})
    assert page.count("Machine: ") == 1
    assert page.count("| yes |") == 2


def test_slope() -> None:
    rows = [Size(n, 1.0, n / 100, n**0.5, 1, 1, 1, 1) for n in (100, 1_000, 10_000)]
    assert slope(rows, "build_s") == pytest.approx(1.0)
    assert slope(rows, "search_ms") == pytest.approx(0.5)
    assert slope(rows, "ingest_ms") == pytest.approx(0.0)
