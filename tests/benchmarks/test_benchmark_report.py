"""What a benchmark report promises to those who read it by machine."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.reporting.report import Check, Report, wilson, write


@dataclass(frozen=True, slots=True)
class Row:
    """One row."""

    name: str
    share: float


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (95, 100, 0.8883, 0.9785), (5, 10, 0.2366, 0.7634)],
)
def test_wilson_gives_the_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    interval = wilson(successes, n)

    assert interval.share == successes / n
    assert interval.low == pytest.approx(low, abs=1e-4)
    assert interval.high == pytest.approx(high, abs=1e-4)


def test_wilson_of_nothing_knows_nothing_and_refuses_nonsense() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(3, 2)


def test_the_json_has_machine_versions_rows_and_checks(tmp_path: Path) -> None:
    report = Report(
        question="Does it?",
        parameters={"n": 1},
        rows=(Row("a", 0.5),),
        checks=(Check("half", 0.5, "at least 0.9", False),),
        figures={"seconds": 1.5},
    )

    write(report, tmp_path / "deep" / "report.json")
    document = json.loads((tmp_path / "deep" / "report.json").read_text(encoding="utf-8"))

    assert document["rows"] == [{"name": "a", "share": 0.5}]
    assert document["checks"] == [{"name": "half", "value": 0.5, "aim": "at least 0.9", "holds": False}]
    assert document["machine"]["cores"] >= 1
    assert "numpy" in document["versions"]
    assert document["figures"] == {"seconds": 1.5}
    assert not report.holds
