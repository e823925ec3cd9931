"""Who may ask what: host names, other sites' pages, the token; and the headers of every answer."""

from collections.abc import Callable

import httpx
import pytest

from tests.made_pictures import png
from tests.search_api.served import Api, problem_of

TOKEN = "correct horse battery staple"


@pytest.fixture
def guarded(start: Callable[..., Api]) -> Api:
    """A server that wants a token."""
    return start(api_token=TOKEN)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.", "[::2]", "", "127.0.0.1@evil"),
        *("[::1].evil.example", "[::1]evil", "[::1", "::1", "[::1]:evil", "[::1]:99999", "127.0.0.1:80:80", "0x7f.1"),
        *("me@127.0.0.1", "127.0.0.1:-1", "localhost/", "localhost?", "localhost#", "localhost:1,evil", "[::1%25lo]"),
    ],
)
def test_a_host_name_that_is_not_ours_is_refused(api: Api, host: str) -> None:
    for address in ("/healthz", "/v1/images", "/", "/openapi.json", "/static/workbench.css"):
        problem_of(api.client.get(address, headers={"Host": host}), 421, "host")


@pytest.mark.parametrize(
    "host", ["LOCALHOST", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "[::1]", "[0:0:0:0:0:0:0:1]:80", "localhost:"]
)
def test_loopback_names_are_answered_with_any_port(api: Api, host: str) -> None:
    assert api.client.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_host_can_be_allowed_by_the_settings(start: Callable[..., Api]) -> None:
    named = start(allowed_hosts=("fakes.newsroom.example",))
    assert named.client.get("/healthz", headers={"Host": "Fakes.Newsroom.example:443"}).status_code == 200
    problem_of(named.client.get("/healthz"), 421, "host")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    ],
)
def test_requests_made_by_other_sites_pages_are_refused(api: Api, headers: dict[str, str]) -> None:
    problem_of(api.client.get("/v1/images", headers=headers), 403, "cross-site")
    upload = api.client.post("/v1/images", files={"files": ("a.png", png(60))}, headers=headers)
    problem_of(upload, 403, "cross-site")


def test_following_a_link_here_is_fine_but_posting_a_form_is_not(api: Api) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert api.client.get("/", headers=link).status_code == 200
    problem_of(api.client.post("/v1/search", headers=link), 403, "cross-site")


def test_our_own_pages_may_ask(api: Api) -> None:
    own = {"Origin": api.url, "Sec-Fetch-Site": "same-origin"}
    assert api.client.get("/v1/images", headers=own).status_code == 200


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_without_the_token_nothing_of_the_catalogue_is_told(guarded: Api, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given.encode("utf-8")}
    for method, address in (
        ("GET", "/"),
        ("GET", "/v1/images"),
        ("POST", "/v1/search"),
        ("GET", "/metrics"),
        ("GET", "/v1/nothing"),
        ("GET", "/static/../v1/images"),
    ):
        answer = httpx.request(method, f"{guarded.url}{address}", headers=headers)
        problem_of(answer, 401, "token")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_with_the_token_everything_is_answered(guarded: Api) -> None:
    assert guarded.client.get("/v1/images").status_code == 200
    lower = {"Authorization": f"bearer {TOKEN}"}
    assert httpx.get(f"{guarded.url}/v1/images", headers=lower).status_code == 200


def test_probes_and_pages_need_no_token(guarded: Api) -> None:
    for address in (
        "/healthz",
        "/login",
        "/docs",
        "/openapi.json",
        "/static/workbench.css",
        "/static/swagger/swagger-ui.css",
    ):
        assert httpx.get(f"{guarded.url}{address}").status_code == 200, address


@pytest.mark.parametrize("address", ["/v1/images", "/v1/nothing", "/", "/docs", "/healthz"])
def test_every_answer_carries_the_security_headers(api: Api, address: str) -> None:
    headers = api.client.get(address).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy or "script-src 'self';" in policy
    assert headers["x-content-type-options"] == "nosniff"
    page = "form-action" in policy  # without a referrer browsers send a form with `Origin: null`, which is refused
    assert headers["referrer-policy"] == ("same-origin" if page else "no-referrer")
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers or "uvicorn" in headers["server"]


def test_answers_about_the_catalogue_are_not_stored_by_browsers(api: Api) -> None:
    assert api.client.get("/v1/images").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/static/../page.py", "/static/%2e%2e/page.py", "/static/..%2fpage.py", "/static/swagger/../../x"]
)
def test_static_files_stay_in_their_folder(api: Api, path: str) -> None:
    with httpx.Client() as client:
        request = client.build_request("GET", f"{api.url}{path}")
        request.url = httpx.URL(api.url).copy_with(raw_path=path.encode())
        assert client.send(request).status_code in (404, 405)
