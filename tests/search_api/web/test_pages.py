"""The documentation at `/docs`, and that pages name nothing from elsewhere."""

import httpx

from tests.search_api.served import Api
from tests.search_api.web.visits import Visit


def test_the_documentation_shows_every_operation_without_the_internet(bench: Api, visit: Visit) -> None:
    visit.page.goto(f"{bench.url}/docs")
    visit.page.wait_for_selector(".opblock")
    document = httpx.get(f"{bench.url}/openapi.json").json()
    assert visit.page.locator(".opblock").count() == sum(len(item) for item in document["paths"].values())
    visit.page.click("#operations-search-search_v1_search_post .opblock-summary")
    visit.page.wait_for_selector(".opblock-body .responses-wrapper")
    visit.page.click(".opblock-body .try-out__btn")
    visit.page.wait_for_selector(".opblock-body input[type=file]")
    assert visit.elsewhere(bench.url) == []
    assert visit.wrong == []


def test_the_pages_name_only_files_of_this_server(bench: Api) -> None:
    for address in ("/", "/docs"):
        page = bench.client.get(address).text
        assert "//" not in page.replace("<!doctype", "")
        assert "<script>" not in page
        assert "style=" not in page
