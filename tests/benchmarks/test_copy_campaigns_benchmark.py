"""The benchmark of copies in campaigns counts what is grouped, rightly and wrongly."""

from pathlib import Path

from benchmarks.copy_campaigns import measure
from indexer.settings import Settings
from tests.made_pictures import png


def test_every_kind_of_evidence_has_a_row_and_pdq_alone_groups_nothing_wrongly(tmp_path: Path) -> None:
    folder = tmp_path / "pictures" / "fake"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.png").write_bytes(png(number))
    settings = Settings.load(home=tmp_path / "home", keep_originals=False)
    report = measure(tmp_path / "pictures", settings, 1)
    pdq = report.rows[0]
    assert (pdq.evidence, pdq.groups, pdq.wrongly) == ("PDQ only", 1, 0)
    assert pdq.jpeg50 == pdq.downscale60 == 1.0
    assert pdq.grouped >= 3
    assert report.parameters["images"] == 3 + 8
