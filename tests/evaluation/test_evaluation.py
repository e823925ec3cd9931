"""What the report holds, also where little or nothing can be measured."""

import json
import tarfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.errors import FingerprintMismatchError
from indexer.estimates import Estimate, NotMeasured
from indexer.evaluation.labelled import labelled_pictures
from indexer.evaluation.report import Evaluation, evaluate
from indexer.evaluation.retrieval import METHODS
from indexer.evaluation.robustness import DEGRADATIONS
from indexer.evaluation.sampling import sample
from indexer.imaging.alterations import ALTERATIONS
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.sources import open_source
from indexer.workspace import Workspace
from tests.evaluation.evaluations import QUICK, evaluated, settings_of
from tests.evaluation.labelled_folders import authentic, both_classes, fake, manifest
from tests.made_pictures import png

FIGURE = {"value", "low", "high", "no_interval"}


def shape(value: Any) -> Any:
    """The keys of a JSON document, lists by their first item; figures as one word."""
    if isinstance(value, dict):
        if set(value) in (FIGURE, {"not_measurable"}):
            return "figure"
        return {key: shape(one) for key, one in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def figures(value: Any) -> list[dict[str, float]]:
    if isinstance(value, dict):
        here = [value] if set(value) == FIGURE else []
        return here + [one for item in value.values() for one in figures(item)]
    return [one for item in value for one in figures(item)] if isinstance(value, list) else []


def test_the_json_has_stable_keys(evaluation: Evaluation) -> None:
    slice_shape = {
        "by": "str",
        "name": "str",
        "fakes": "int",
        "authentic": "int",
        "roc_auc": "figure",
        "tpr": "figure",
    }
    curve = {"x": ["float"], "y": ["float"]}
    assert shape(json.loads(evaluation.as_json())) == {
        "format": "str",
        "detector": {"name": "str", "fingerprint": "str", "trained": "bool", "precision": "str"},
        "pictures": {
            "name": "str",
            "pictures": "int",
            "fakes": "int",
            "authentic": "int",
            "groups": "int",
            "generators": "int",
            "decoded": "int",
            "skipped": {},
            "label_words": [
                {"word": "str", "meaning": "str", "value": "str", "by_hand": "bool", "count": "int"},
            ],
        },
        "method": {
            "made_at": "str",
            "seed": "int",
            "resamples": "int",
            "threshold": "float",
            "intervals": "str",
            "versions": dict.fromkeys(
                ("dejafake", "python", "numpy", "scikit-learn", "torch", "pillow", "pdqhash"), "str"
            ),
        },
        "warnings": ["str"],
        "scores": {
            "threshold": "float",
            **dict.fromkeys(("roc_auc", "average_precision", "accuracy", "tpr", "fpr", "calibration_error"), "figure"),
            **dict.fromkeys(("mean_p_fake_of_fakes", "mean_p_fake_of_authentic"), "figure"),
            "operating_points": [{"max_fpr": "float", "threshold": "float", "tpr": "figure"}],
            "roc": curve,
            "precision_recall": curve,
            "reliability": [{"p_fake": "float", "share": "float", "n": "int"}],
            "histogram": {"fake": ["int"], "authentic": ["int"]},
        },
        "slices": [slice_shape],
        "peers": [{"name": "str", "pictures": "int", "roc_auc": "figure", "detector_roc_auc": "figure"}],
        "confound": {"roc_auc": "figure", "features": ["str"], "pictures": "int", "confounded": "bool"},
        "retrieval": {
            "database": "int",
            "queries": "int",
            "recall": [
                {
                    "alteration": "str",
                    "method": "str",
                    "queries": "int",
                    **dict.fromkeys(("at_1", "at_5", "at_10"), "figure"),
                }
            ],
            "attribution": [
                {
                    "method": "str",
                    "fakes": "int",
                    "generators": "int",
                    "accuracy": "figure",
                    "macro": "figure",
                    "majority": "float",
                }
            ],
            "ranking": [
                {
                    "by": "str",
                    "method": "str",
                    "queries": "int",
                    "mean_average_precision": "figure",
                    "chance": "float",
                }
            ],
        },
        "robustness": [
            {
                "degradation": "str",
                "unit": "str",
                "pictures": "int",
                "points": [
                    {
                        "level": "NoneType",
                        **dict.fromkeys(("roc_auc", "mean_p_fake_of_fakes", "mean_p_fake_of_authentic"), "figure"),
                    }
                ],
            }
        ],
        "limits": ["str"],
    }


def test_every_figure_lies_in_its_interval_and_in_range(evaluation: Evaluation) -> None:
    found = figures(json.loads(evaluation.as_json()))
    assert len(found) > 100
    for one in found:
        if one["low"] is None:
            assert one["high"] is None
            assert one["no_interval"]
            continue
        assert -1e-9 <= one["low"] <= one["value"] + 1e-9 <= one["high"] + 2e-9 <= 1 + 3e-9, one


def test_every_alteration_method_and_degradation_is_there(evaluation: Evaluation) -> None:
    assert [(row.alteration, row.method) for row in evaluation.retrieval.recall] == [
        (name, method) for name in (*ALTERATIONS, "all of them") for method in METHODS
    ]
    assert [curve.degradation for curve in evaluation.robustness] == list(DEGRADATIONS)
    for curve in evaluation.robustness:
        assert [point.level for point in curve.points] == [None, *DEGRADATIONS[curve.degradation].levels]
        assert curve.points[0] == evaluation.robustness[0].points[0]
    assert {(row.by, row.name, row.fakes) for row in evaluation.slices} == {
        ("generator", "noise-a", 3),
        ("generator", "noise-b", 3),
        ("technique", "text_to_image", 6),
        ("size", "small", 6),
    }


def test_few_pictures_groups_and_unlike_files_are_warned_of(evaluation: Evaluation) -> None:
    words = " ".join(evaluation.warnings)
    assert "Only 6 fakes" in words
    assert "Only 6 authentic pictures" in words
    assert "Only 3 groups of a class" in words
    assert evaluation.confound.confounded  # noise does not compress
    assert "Your classes differ in size or compression" in words
    assert "whole groups" in evaluation.method.intervals
    small = next(row for row in evaluation.slices if row.by == "size")
    assert small.roc_auc == NotMeasured("fewer than 10 authentic pictures of this size")


def test_the_same_seed_gives_the_same_figures(
    evaluation: Evaluation, tmp_path: Path, tiny: Path, labelled_manifest: Path
) -> None:
    def dated(one: Evaluation) -> str:
        return replace(one, method=replace(one.method, made_at=datetime(2026, 1, 1))).as_json()  # noqa: DTZ001

    again = evaluated(tmp_path / "home", tiny, labelled_manifest)
    assert dated(again) == dated(evaluation)


def test_an_altered_copy_is_found_by_what_survives_the_alteration(evaluation: Evaluation) -> None:
    rows = {(row.alteration, row.method): row.at_1 for row in evaluation.retrieval.recall}
    for method in ("grey_pixels", "colour_histogram", "both"):
        copy = rows["jpeg50", method]
        assert isinstance(copy, Estimate)
        assert copy.value == 1
    assert rows["mirror", "same_picture"] == rows["jpeg50", "same_picture"]  # PDQ is asked in eight orientations
    mirrored = rows["mirror", "grey_pixels"]
    assert isinstance(mirrored, Estimate)
    assert mirrored.value < 1


def test_an_untrained_detector_is_judged_on_retrieval_alone(untrained_evaluation: Evaluation) -> None:
    one = untrained_evaluation
    assert "not trained" in one.warnings[0]
    for figure in (one.scores.roc_auc, one.scores.tpr, one.slices[0].roc_auc, one.peers[0].detector_roc_auc):
        assert isinstance(figure, NotMeasured)
        assert "not trained" in figure.not_measurable
    assert one.robustness == ()
    assert one.scores.roc is one.scores.histogram is None
    assert isinstance(one.peers[0].roc_auc, Estimate)
    assert isinstance(one.retrieval.recall[0].at_1, Estimate)


def test_of_one_class_what_can_be_computed_is(tmp_path: Path, tiny: Path) -> None:
    pictures = {f"{number}.png": fake(number) for number in range(4)}
    rows = [{"path": name, "label": "fake", "generator": "g"} for name in pictures]
    one = evaluated(tmp_path / "home", tiny, manifest(tmp_path / "set", pictures, rows))
    for missing in (one.scores.roc_auc, one.scores.fpr, one.confound.roc_auc, one.peers[0].roc_auc):
        assert isinstance(missing, NotMeasured)
    assert "only fakes" in one.scores.roc_auc.not_measurable
    assert isinstance(one.scores.tpr, Estimate)
    assert isinstance(one.scores.mean_p_fake_of_fakes, Estimate)
    assert isinstance(one.robustness[0].points[1].mean_p_fake_of_fakes, Estimate)
    assert isinstance(one.retrieval.attribution[0].accuracy, NotMeasured)
    assert any("no authentic pictures" in warning for warning in one.warnings)


def test_a_single_picture_is_no_failure(tmp_path: Path, tiny: Path) -> None:
    rows = [{"path": "a.png", "label": "authentic"}]
    one = evaluated(tmp_path / "home", tiny, manifest(tmp_path / "set", {"a.png": authentic(1, 20)}, rows))
    assert one.pictures.authentic == 1
    json.loads(one.as_json())


def test_without_originals_the_stored_embeddings_are_still_judged(
    tmp_path: Path, tiny: Path, labelled_manifest: Path
) -> None:
    settings = settings_of(tmp_path / "home", tiny, keep_originals=False)
    with Workspace(settings) as opened:
        source = open_source(labelled_manifest, ImageLimits.from_settings(settings))
        opened.ingest(IngestOptions(collections=("desk",))).run(source)
    one = evaluated(tmp_path / "home", tiny, "collection:desk")
    assert one.pictures.decoded == 0
    assert isinstance(one.scores.roc_auc, Estimate)
    assert isinstance(one.retrieval.attribution[0].accuracy, Estimate)
    assert one.retrieval.recall == one.robustness == ()
    assert any("originals are not kept" in warning for warning in one.warnings)


def test_a_tar_archive_is_not_held_in_memory_and_gives_its_pictures_again(tmp_path: Path, workspace: Workspace) -> None:
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        for place, data in (("fake", fake(1)), ("real", authentic(1))):
            (tmp_path / "one.png").write_bytes(data)
            archive.add(tmp_path / "one.png", f"{place}/one.png")
    labelled, pictures = labelled_pictures(workspace, str(tmp_path / "set.tar.gz"))
    assert [pictures.data(sha256) is not None for sha256 in labelled.sha256] == [True, True]
    folder = pictures._spool.folder
    assert len(list(folder.iterdir())) == 2
    del pictures
    assert not folder.exists()


def test_pictures_another_detector_saw_are_refused(workspace: Workspace, labelled_manifest: Path) -> None:
    labelled, pictures = labelled_pictures(workspace, str(labelled_manifest))
    with pytest.raises(FingerprintMismatchError, match="another detector"):
        evaluate(replace(labelled, fingerprint="0" * 64), pictures, workspace.detector(), QUICK)


def test_samples_are_half_of_each_class_where_possible() -> None:
    truth = np.array([True] * 5 + [False] * 100)
    assert truth[sample(truth, 20, 0)].sum() == 5
    assert truth[sample(truth, 6, 0)].sum() == 3
    assert len(sample(truth, None, 0)) == len(sample(truth, 1_000, 0)) == 105
    assert (sample(truth, 20, 1) == sample(truth, 20, 1)).all()
    assert (sample(truth, 20, 1) != sample(truth, 20, 2)).any()


def test_sizes_have_figures_of_their_own(tmp_path: Path, tiny: Path) -> None:
    path = both_classes(tmp_path / "set", each=10)
    one = evaluated(tmp_path / "home", tiny, path, replace(QUICK, queries=1, robustness=0))
    small = next(row for row in one.slices if row.by == "size")
    assert isinstance(small.roc_auc, Estimate)
    assert one.robustness == ()


def test_few_groups_give_no_interval_without_width(tmp_path: Path, tiny: Path) -> None:
    """Two groups, and one generator inside one of them: the report says what it cannot say."""
    rows = [
        {
            "path": f"{number}.png",
            "label": "fake" if number % 2 else "authentic",
            "group": f"group {number // 6}",
            "generator": "aurora" if number in (1, 3) else f"one of its kind {number}",
        }
        for number in range(12)
    ]
    path = manifest(tmp_path / "set", {row["path"]: png(number) for number, row in enumerate(rows)}, rows)
    one = evaluated(tmp_path / "home", tiny, path)
    figures = [one.scores.roc_auc, one.scores.accuracy, one.scores.tpr, one.scores.mean_p_fake_of_fakes]
    figures += [point.tpr for point in one.scores.operating_points]
    figures += [point.roc_auc for curve in one.robustness for point in curve.points]
    for found in figures:
        assert isinstance(found, Estimate)
        assert found.interval is None
        assert found.no_interval in (f"only {few} of a class, 5 are needed" for few in ("2 groups", "1 group"))
    assert any("Only 2 groups of a class" in warning for warning in one.warnings)
    (by_generator,) = {row.mean_average_precision for row in one.retrieval.ranking if row.by == "generator"}
    assert "pictures of one generator are all of one group" in str(by_generator)
    assert '"low": null' in one.as_json()
