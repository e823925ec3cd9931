"""The campaigns benchmark scores what it says, on groups that are really there."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.campaigns import measure
from benchmarks.grouping.corpus import ALTERED, read_corpus
from benchmarks.grouping.methods import OURS, by_dejafake
from benchmarks.grouping.scores import scores
from benchmarks.made_up.campaigns import planted
from tests.made_pictures import png


def test_bcubed_counts_strangers_and_those_left_out_and_noise_as_alone() -> None:
    truth = np.array([0, 0, 0, 0, -1, -1])
    whole = scores(truth, truth)
    assert (whole.bcubed_f1, whole.v_measure, whole.ari) == (1.0, pytest.approx(1.0), 1.0)
    with_a_stranger = scores(truth, np.array([0, 0, 0, 0, 0, -1]))
    assert with_a_stranger.bcubed_recall == 1.0
    assert with_a_stranger.bcubed_precision == pytest.approx((4 * 0.8 + 0.2 + 1) / 6)
    one_left_out = scores(truth, np.array([0, 0, 0, -1, -1, -1]))
    assert one_left_out.bcubed_precision == 1.0
    assert one_left_out.bcubed_recall == pytest.approx((3 * 0.75 + 0.25 + 2) / 6)


def test_planted_vectors_are_the_same_every_time_and_what_they_say() -> None:
    one, again = planted(2_000), planted(2_000)
    assert one.vectors.tobytes() == again.vectors.tobytes()
    assert np.allclose(np.linalg.norm(one.vectors, axis=1), 1, atol=1e-5)
    assert np.mean(one.truth < 0) == pytest.approx(0.15)
    assert np.bincount(one.truth[one.truth >= 0]).min() >= 3


def test_the_product_finds_planted_campaigns() -> None:
    made = planted(1_500, seed=3)
    found = scores(made.truth, by_dejafake(made.vectors, 0.8))
    assert found.bcubed_f1 > 0.95
    assert found.ari > 0.8


@pytest.mark.full
def test_every_row_is_scored_and_the_product_is_checked_against_its_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    import benchmarks.campaigns

    # what compiles itself for a minute, or loads a whole language model library, is left out of the test
    kept = [one for one in benchmarks.campaigns.methods(0.8, (0.9,)) if one.package == "sklearn"]
    monkeypatch.setattr(benchmarks.campaigns, "methods", lambda *_: tuple(kept))
    report = measure(full=False, corpus=None, sizes=(600,), runs=(300,))
    methods = {row.method for row in report.rows}
    assert OURS in methods
    assert {"DBSCAN, cosine 0.8", "DBSCAN, cosine 0.9 (tuned on the truth)"} <= methods
    assert [check.name for check in report.checks][-1] == "600: overall ARI"
    assert report.figures["clustering_run_of_300_seconds"] > 0


def test_a_corpus_is_its_fakes_with_five_copies_each(tmp_path: Path) -> None:
    folder = tmp_path / "pictures" / "fake"
    folder.mkdir(parents=True)
    for number in range(2):
        (folder / f"{number}.png").write_bytes(png(number))
    corpus = read_corpus(tmp_path / "pictures")
    assert corpus.vectors.shape == (2 * (1 + len(ALTERED)), 384)
    assert np.bincount(corpus.truths["picture"]).tolist() == [6, 6]
    assert len(corpus.originals.vectors) == 2
    assert len(corpus.copies) > 0
