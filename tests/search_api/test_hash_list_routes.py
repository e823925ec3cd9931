"""/v1/hash-lists and /v1/hashes: other people's lists in, ours out, with the numbers of the lines that are none."""

import json
from collections.abc import Callable

import httpx

from tests.search_api.served import Api, fill, problem_of

ONE, TWO = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22", "a3" * 32


def sent(api: Api, text: str | bytes, source: str = "Exchange", **said: str) -> httpx.Response:
    data = text.encode() if isinstance(text, str) else text
    return api.client.post("/v1/hash-lists", files={"file": ("list.txt", data)}, data={"source": source, **said})


def test_a_list_goes_in_is_searched_listed_and_deleted(start: Callable[..., Api]) -> None:
    server = start()
    done = sent(server, f"pdq {ONE}\nnonsense\n\nsha256 {TWO}\n", "Desk/B").json()
    assert (done["added"], done["known"], done["malformed"]) == (2, 0, 1)
    assert done["problems"][0].startswith("line 2: not a hash")
    assert sent(server, f"pdq {ONE}\n", "Desk/B").json()["known"] == 1
    sent(server, f"{TWO}\n", "A", algorithm="sha256", label="authentic")
    listed = server.client.post("/v1/search", json={"pdq": ONE}).json()["listed"]
    assert [match["entry"]["source"] for match in listed] == ["Desk/B"]
    first = server.client.get("/v1/hash-lists", params={"limit": 1}).json()
    second = server.client.get("/v1/hash-lists", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [(one["name"], one["label"], one["hashes"]) for page in (first, second) for one in page["items"]] == [
        ("A", "authentic", 1),
        ("Desk/B", "fake", 2),
    ]
    assert second["next_cursor"] is None
    assert server.client.delete("/v1/hash-lists/Desk/B").status_code == 204
    problem_of(server.client.delete("/v1/hash-lists/Desk/B"), 404, "not-found")
    assert server.client.post("/v1/search", json={"pdq": ONE}).json()["listed"] == []


def test_lists_in_other_peoples_forms_go_in_without_what_is_too_plain_to_compare(start: Callable[..., Api]) -> None:
    server = start()
    done = sent(server, f"hash,quality\r\n{ONE},0\r\n{TWO},100\r\n", algorithm="pdq").json()
    assert (done["added"], done["left_out"], done["malformed"]) == (1, 1, 0)
    assert server.client.post("/v1/search", json={"pdq": ONE}).json()["listed"] == []
    assert sent(server, json.dumps([{"hash_value": TWO, "type": "pdq"}])).json()["known"] == 1
    problem_of(sent(server, "[" * 100), 422, "validation")
    problem_of(sent(server, f"{ONE},0\n", algorithm="pdq"), 422, "validation")


def test_a_file_without_a_hash_is_refused_with_its_lines_and_makes_no_list(start: Callable[..., Api]) -> None:
    server = start()
    refused = problem_of(sent(server, f"# nothing\n{ONE}\nx\n"), 422, "validation")
    assert "line 2" in str(refused["detail"])
    assert "line 3" in str(refused["detail"])
    assert server.client.get("/v1/hash-lists").json()["items"] == []
    problem_of(sent(server, f"pdq {ONE}", " "), 422, "validation")
    problem_of(
        server.client.post("/v1/hash-lists", content=b"x", headers={"Content-Type": "text/plain"}),
        415,
        "unsupported-media-type",
    )
    sent(server, f"pdq {ONE}")
    problem_of(sent(server, f"pdq {TWO}", label="authentic"), 409, "conflict")


def test_our_hashes_go_out_by_conditions_and_other_peoples_do_not(start: Callable[..., Api]) -> None:
    server = start()
    fill(server, server.fakes, range(1, 4), label="fake", stated_by="desk one", technique="splice")
    fill(server, server.authentic, range(7, 8), label="authentic", stated_by="desk one")
    sent(server, f"pdq {ONE}")
    ours = server.client.get("/v1/hashes", params={"algorithm": "sha256"})
    assert ours.headers["content-type"].startswith("text/plain")
    assert ours.text.splitlines() == sorted(server.fakes.values())
    everything = server.client.get("/v1/hashes", params={"label": "any"}).text.splitlines()
    assert len(everything) == 4
    assert all(line.startswith("pdq ") for line in everything)
    none = server.client.get("/v1/hashes", params={"technique": "face_swap"})
    assert (none.status_code, none.text) == (200, "")
    problem_of(server.client.get("/v1/hashes", params={"labl": "any"}), 422, "validation")
    assert sent(server, "".join(f"{line}\n" for line in everything), "back").json()["added"] == 4
