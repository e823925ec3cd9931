"""`GET /v1/status` and the page `/status`: how the server is doing, and what needs attention."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from indexer.catalog import jobs
from indexer.catalog.detections import calibrations
from indexer.catalog.records.jobs import NewJobItem
from indexer.upkeep.free_space import FEW_BYTES
from search_api.examples.made_up import made_up_calibration
from search_api.service.status import WORDS
from search_api.web.pages.status import PROBLEMS
from tests.search_api.served import Api, fill
from tests.search_api.web.visits import Visit, page_is_clean


class Usage(NamedTuple):
    """As `shutil.disk_usage` tells it."""

    total: int
    used: int
    free: int


def kinds(server: Api) -> list[str]:
    return [problem["kind"] for problem in server.client.get("/v1/status").json()["problems"]]


def test_every_problem_has_words_that_are_translated() -> None:
    assert sorted(WORDS.values()) == sorted(PROBLEMS)


def test_a_server_that_is_ready_tells_its_index_catalogue_and_queues(start: Callable[..., Api]) -> None:
    own = start()
    service = own.app.state.service
    service._warming.join()
    fill(own, own.fakes, range(1, 4), label="fake", stated_by="desk one")
    assert {"index_missing", "detector_not_trained"} <= set(kinds(own))
    assert not own.client.get("/v1/status").json()["ready"]
    service.workspace.index.settle()
    told = own.client.get("/v1/status").json()
    assert (told["ready"], told["index"]["state"], told["index"]["count"]) == (True, "ready", 3)
    assert own.client.get("/readyz").status_code == 200
    assert told["queues"]["rows"] == {"now": 0, "most": own.settings.job_queue_rows}
    assert told["queues"]["heavy"]["most"] == own.settings.heavy_requests_max
    assert {"answer-jobs", "deliver-callbacks"} <= {thread["name"] for thread in told["threads"] if thread["alive"]}
    assert told["disk"]["total"] >= told["disk"]["free"] > 0
    assert told["calibration"] is None


def test_a_disk_that_is_full_or_unknown_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10 * FEW_BYTES, 9 * FEW_BYTES, FEW_BYTES))
    assert "disk_low" in kinds(api)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10 * FEW_BYTES, 0, FEW_BYTES + 1))
    assert "disk_low" not in kinds(api)

    def refused(_path: Path) -> Usage:
        raise OSError

    monkeypatch.setattr(shutil, "disk_usage", refused)
    assert "disk_unknown" in kinds(api)
    assert api.client.get("/v1/status").json()["disk"] is None
    assert "does not say how much room" in api.client.get("/status").text


def test_a_full_queue_and_a_calibration_are_told(start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    own = start(job_queue_rows=1)
    service = own.app.state.service
    service.jobs.close()  # the row stays unanswered
    with service.workspace.catalog.writing() as session:
        item = NewJobItem(name="<b>", sha256="0" * 64)
        jobs.add(session, [item], job_id=jobs.new_id(), digest="d", idempotency_key=None, callback_url=None)
        calibrations.add(session, made_up_calibration(service.workspace.resolved))
    assert "queue_full" in kinds(own)
    told = own.client.get("/v1/status").json()
    assert (told["queues"]["rows"]["now"], told["calibration"]["version"]) == (1, 1)


def test_messages_of_parts_that_failed_are_shown_as_text(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.app.state.service.workspace, "descriptor_problem", "<script>no</script>")
    assert "no_copy_descriptor" in kinds(api)
    page = api.client.get("/status").text
    assert "&lt;script&gt;no" in page
    assert "<script>no" not in page


def test_a_server_with_a_token_tells_nothing_without_it(start: Callable[..., Api]) -> None:
    own = start(api_token="a-token-that-is-long-enough-for-this")
    del own.client.headers["Authorization"]
    assert own.client.get("/v1/status").status_code == 401
    assert own.client.get("/status").status_code in (303, 401)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_page_is_clean_and_reached_by_keyboard(bench: Api, visit: Visit, language: str) -> None:
    page = visit.page
    page.goto(f"{bench.url}/campaigns?lang={language}")
    page.focus(".top-menu summary")
    page.keyboard.press("Enter")
    page.focus(".menu-links a[href$='/status']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/status")
    page.goto(f"{bench.url}/status?lang={language}")
    assert page.locator("[data-kind=detector_not_trained]").count() == 1
    page_is_clean(visit, bench.url)
    assert visit.overflow_when_narrow() <= 0
