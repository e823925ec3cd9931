"""The benchmarks of the index promise: held-out queries, every aim as a check, rows of all that was compared."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import filters, updates, vectors
from benchmarks.made_up.vectors import planted


def test_planted_vectors_are_the_same_every_time_and_do_not_hold_the_queries() -> None:
    one, again = planted(2_000, queries=50), planted(2_000, queries=50)
    np.testing.assert_array_equal(one.vectors, again.vectors)
    np.testing.assert_array_equal(one.queries, again.queries)
    np.testing.assert_allclose(np.linalg.norm(one.vectors, axis=1), 1, atol=1e-5)
    assert (one.queries @ one.vectors.T).max() < 0.99999
    nearest = np.sort(one.vectors[:300] @ one.vectors.T, axis=1)[:, -2]
    assert (nearest > 0.9).mean() > 0.1  # near duplicates


def test_engines_are_compared_in_turns_and_everything_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "report.json"
    asked = ["--sizes", "600", "--peers", "FAISS flat", "--rounds", "2"]
    code = vectors.main([*asked, "--cache", str(tmp_path / "kept"), "--json", str(to)])
    assert code == 0
    document = json.loads(to.read_text())
    assert document["parameters"]["rounds"] == 2
    peer, ours = document["rows"]
    assert (peer["engine"], ours["engine"]) == ("FAISS flat", "dejafake")
    assert ours["recall"] == ours["strict_recall"] == peer["recall"] == 1
    assert peer["times_ours"] > 0
    assert ours["bytes_a_vector"] > 4 * 384
    assert [check["name"] for check in document["checks"]] == ["planted 600: recall@10 as built"]
    assert "recall@10 as built" in capsys.readouterr().out


def test_every_aim_at_a_million_is_a_check() -> None:
    row = vectors.Row("d", vectors.FAIR, 0.99, "80", 0.99, 0.99, 0.4, 0.5, 1e4, 2.5, 0.9, 300, 600, 1800, 1800, 1800, 1)
    ours = [
        vectors.Row(
            "d", vectors.OURS, wanted, "", 0.992, 0.991, 0.3, 0.4, 2.5e4, None, None, 80, 150, 1650, 1600, 90, 0.2
        )
        for wanted in (None, 0.99)
    ]
    data = vectors.Data("d", vectors.MILLION, Path(), np.empty((0, 384), np.float32), np.empty(0, np.float32))
    holds = {check.name: check.holds for check in vectors._checks(data, [row, *ours])}
    assert holds == {
        "d: recall@10 as built": True,
        "d: opens, seconds": False,
        "d at 0.99, to hnswlib efC=300: queries a second": True,
        "d at 0.99, to hnswlib efC=300: one query": True,
        "d at 0.99, to hnswlib efC=300: memory, mapped files included": False,
        "d at 0.99, to hnswlib efC=300: memory, mapped files not counted": True,
        "d at 0.99, to hnswlib efC=300: processor time of the build": True,
    }


def test_filters_are_tried_by_chance_and_by_cluster(tmp_path: Path) -> None:
    report = filters.measure(2_000, tmp_path, queries=10)
    assert {(row.filter, row.share) for row in report.rows} == {
        (kind, share) for kind in filters.FILTERS for share in filters.SHARES
    }
    assert all(row.recall == 1 for row in report.rows if row.allowed >= filters.K)
    assert len(report.checks) == 3 * len(report.rows)


def test_updates_are_timed_and_deletions_looked_for(tmp_path: Path) -> None:
    report = updates.measure(2_000, tmp_path, merges=2, merged=200)
    assert [row.phase for row in report.rows] == ["nothing else", "adding 1000", "deleting 100", "merging"]
    assert {check.name: check.value for check in report.checks}["deleted vectors found"] == 0
