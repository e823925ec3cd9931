"""How an altered copy lies in a row's picture stands in columns of its own."""

import json
from pathlib import Path

import pytest
from PIL import ImageOps

from indexer.enrichment.inputs.inputs import open_input
from indexer.enrichment.run import Enrichment
from indexer.imaging.limits import ImageLimits
from indexer.workspace import Workspace
from tests.enrichment.enriched_tables import as_json_lines
from tests.made_pictures import encoded, png, scene


def test_a_mirrored_crop_fills_shares_boxes_and_transform_and_a_stranger_none(
    workspace: Workspace, tmp_path: Path
) -> None:
    crop = ImageOps.mirror(scene(1).crop((60, 20, 420, 340)))
    (tmp_path / "crop.jpg").write_bytes(encoded(crop, "JPEG", quality=85))
    (tmp_path / "same.png").write_bytes(png(1))
    (tmp_path / "stranger.png").write_bytes(png(70))
    source = as_json_lines(tmp_path, [{"path": name} for name in ("crop.jpg", "same.png", "stranger.png")])
    read = open_input(source, {}, ImageLimits.from_settings(workspace.settings))
    lines = Enrichment(workspace, read, tmp_path / "out.jsonl").run().output.read_text(encoding="utf-8").splitlines()
    cropped, same, stranger = map(json.loads, lines)
    assert (cropped["dejafake_match_relation"], cropped["dejafake_match_band"]) == ("same_picture", "verified_copy")
    assert cropped["dejafake_match_altered"].startswith("cropped to 6")
    assert cropped["dejafake_match_known_share"] == pytest.approx(360 * 320 / (480 * 360), abs=0.03)
    assert [int(edge) for edge in cropped["dejafake_match_known_box"].split(",")] == pytest.approx(
        [60, 20, 420, 340], abs=8
    )
    assert cropped["dejafake_match_mirrored"] == 1
    assert len(cropped["dejafake_match_transform"].split()) == 9
    assert cropped["dejafake_match_inliers"] == cropped["dejafake_match_score"]
    assert (same["dejafake_match_band"], same["dejafake_match_transform"]) == ("identical", None)
    assert stranger["dejafake_match_band"] is None
