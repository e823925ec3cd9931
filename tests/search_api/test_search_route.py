"""POST /v1/search: a picture, an image id, an embedding or a hash in; verdict and matches out."""

import httpx
import pytest
from PIL import ImageOps

from tests.made_pictures import encoded, png, recompressed, scene
from tests.search_api.served import Api, problem_of


def ask(api: Api, picture: bytes, **fields: object) -> httpx.Response:
    return api.client.post("/v1/search", files={"image": ("asked.png", picture)}, data=fields)


def test_a_known_fake_is_found_as_the_same_file_with_who_labelled_it(api: Api) -> None:
    answer = ask(api, png(1)).json()
    assert answer["verdict"]["outcome"] == "known_fake_match"
    assert "desk one" in answer["verdict"]["summary"]
    first = answer["matches"][0]
    assert (first["relation"], first["holds"]) == ("same_file", True)
    assert first["image"]["image"]["sha256"] == api.fakes[1]
    assert first["image"]["image"]["label"]["source"] == "desk one"
    cosine = next(score["value"] for score in first["scores"] if score["measure"] == "cls_cosine")
    assert cosine >= 0.999


def test_a_recompressed_copy_is_found_as_the_same_picture(api: Api) -> None:
    answer = ask(api, recompressed(2)).json()
    assert answer["verdict"]["outcome"] == "known_fake_match"
    assert answer["matches"][0]["relation"] == "same_picture"
    assert answer["matches"][0]["image"]["image"]["sha256"] == api.fakes[2]


def test_a_mirrored_crop_comes_with_where_it_lies_in_the_known_picture(api: Api) -> None:
    crop = ImageOps.mirror(scene(2).crop((60, 20, 420, 340)))
    answer = ask(api, encoded(crop, "JPEG", quality=85)).json()
    assert answer["verdict"]["outcome"] == "known_fake_match"
    first = answer["matches"][0]
    assert (first["image"]["image"]["sha256"], first["relation"]) == (api.fakes[2], "same_picture")
    overlap = first["overlap"]
    assert (overlap["relation"], overlap["mirrored"]) == ("same_picture", True)
    assert overlap["known_box"] == pytest.approx([60, 20, 420, 340], abs=8)
    assert len(overlap["to_known"]) == 9


def test_a_picture_nobody_knows_is_never_called_authentic(api: Api) -> None:
    verdict = ask(api, png(99)).json()["verdict"]
    assert verdict["outcome"] in ("no_match_found", "not_assessable")
    assert not verdict["matched"]


def test_links_of_matches_lead_somewhere(api: Api) -> None:
    links = ask(api, png(1)).json()["matches"][0]["links"]
    assert {api.client.get(address).status_code for address in links.values()} == {200}


def test_the_answer_tells_its_timings_in_server_timing(api: Api) -> None:
    answer = ask(api, png(1))
    steps = {part.split(";")[0] for part in answer.headers["server-timing"].split(", ")}
    assert steps == set(answer.json()["milliseconds"])
    assert "model" in steps


def test_searching_does_not_add_the_picture(api: Api) -> None:
    unknown = ask(api, png(98)).json()["query"]["sha256"]
    assert api.client.get(f"/v1/images/{unknown}").status_code == 404


def test_an_image_id_finds_itself_first(api: Api) -> None:
    answer = api.client.post("/v1/search", json={"image_id": api.fakes[3].upper()})
    assert answer.json()["matches"][0]["image"]["image"]["sha256"] == api.fakes[3]
    assert answer.json()["query"]["kind"] == "image_id"


def test_a_pdq_hash_finds_its_picture(api: Api) -> None:
    pdq = api.client.get(f"/v1/images/{api.fakes[4]}").json()["image"]["pdq"]
    match = api.client.post("/v1/search", json={"pdq": pdq}).json()["matches"][0]
    assert (match["image"]["image"]["sha256"], match["relation"]) == (api.fakes[4], "same_picture")


def test_an_embedding_finds_its_nearest(api: Api) -> None:
    answer = api.client.post("/v1/search", json={"embedding": [1.0] * 384, "label": "any"})
    assert answer.status_code == 200
    assert len(answer.json()["matches"]) == 9


def test_limit_bounds_the_matches(api: Api) -> None:
    assert len(ask(api, png(1), limit=2).json()["matches"]) == 2


def test_likeness_is_looked_for_among_known_fakes_unless_any_is_asked(api: Api) -> None:
    asked = ask(api, png(97), limit=50).json()["matches"]
    assert {match["image"]["image"]["label"]["value"] for match in asked} == {"fake"}
    widened = ask(api, png(97), limit=50, label="any").json()["matches"]
    assert {match["image"]["image"]["label"]["value"] for match in widened} == {"fake", "authentic"}


def test_identity_is_looked_for_among_all_labels(api: Api) -> None:
    assert ask(api, png(7)).json()["matches"][0]["image"]["image"]["sha256"] == api.authentic[7]


def test_a_label_keeps_the_search_inside_it(api: Api) -> None:
    matches = ask(api, png(1), label="authentic").json()["matches"]
    assert {match["image"]["image"]["label"]["value"] for match in matches} == {"authentic"}


def test_conditions_narrow_the_search(api: Api) -> None:
    assert ask(api, png(1), technique="face_swap").json()["matches"] == []
    assert ask(api, png(1), platform="nowhere").json()["matches"] == []
    assert ask(api, png(1), posted_from="2020-01-01T00:00:00Z").json()["matches"] == []
    assert ask(api, png(1), collections=["no such", "none either"]).json()["matches"] == []


def test_thresholds_can_be_set(api: Api) -> None:
    copy = encoded(scene(2).resize((200, 150)), "JPEG", quality=15)
    matches = ask(api, copy, same_picture_max_distance=0).json()["matches"]
    assert not any(score["band"] == "near_identical" for match in matches for score in match["scores"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"pdq": "0" * 64, "image_id": "0" * 64},
        {"pdq": "xyz"},
        {"embedding": [1.0] * 383},
        {"pdq": "0" * 64, "limit": 0},
        {"pdq": "0" * 64, "limit": 100_000},
        {"pdq": "0" * 64, "techniqe": "splice"},
        {"pdq": "0" * 64, "technique": "magic"},
        {"pdq": "0" * 64, "posted_from": "2024-02-01", "posted_to": "2024-01-01"},
        {"pdq": "0" * 64, "posted_from": "0001-01-01T00:00:00+14:00"},
        {"pdq": "0" * 64, "same_picture_max_distance": 65},
        ["pdq"],
    ],
)
def test_a_json_query_that_makes_no_sense_is_explained(api: Api, body: object) -> None:
    answer = api.client.post("/v1/search", json=body)
    code = "usage" if answer.json()["type"].endswith("usage") else "validation"
    problem_of(answer, 422, code)


def test_an_embedding_of_zeros_is_explained(api: Api) -> None:
    problem_of(api.client.post("/v1/search", json={"embedding": [0.0] * 384}), 422, "usage")


def test_an_unknown_image_id_is_not_found(api: Api) -> None:
    problem_of(api.client.post("/v1/search", json={"image_id": "0" * 64}), 404, "not-found")


@pytest.mark.parametrize("content", [b"{", b"", b"[" * 100_000, b'{"pdq": "\xff"}', b'{"pdq": "\\ud800"}'])
def test_broken_json_is_refused(api: Api, content: bytes) -> None:
    problem_of(
        api.client.post("/v1/search", content=content, headers={"Content-Type": "application/json"}), 400, "malformed"
    )


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/png", ""])
def test_other_content_types_are_refused_with_what_is_taken(api: Api, kind: str) -> None:
    answer = api.client.post("/v1/search", content=b"x", headers={"Content-Type": kind})
    problem_of(answer, 415, "unsupported-media-type")
    assert answer.headers["accept-post"] == "multipart/form-data, application/json"


def test_a_file_that_is_no_picture_is_refused_with_its_reason(api: Api) -> None:
    assert problem_of(ask(api, b"just text"), 422, "image-rejected")["reason"] == "not_an_image"
    assert problem_of(ask(api, png(1)[:500]), 422, "image-rejected")["reason"] == "truncated"
    assert problem_of(ask(api, b""), 422, "image-rejected")["reason"] == "empty"


def test_a_form_without_exactly_one_image_is_refused(api: Api) -> None:
    problem_of(api.client.post("/v1/search", files={"picture": ("a.png", png(1))}), 422, "validation")
    two = [("image", ("a.png", png(1))), ("image", ("b.png", png(2)))]
    problem_of(api.client.post("/v1/search", files=two), 413, "content-too-large")


def test_a_form_field_given_twice_or_unknown_is_refused(api: Api) -> None:
    problem_of(ask(api, png(1), limit=["1", "2"]), 422, "validation")
    problem_of(ask(api, png(1), limt="1"), 422, "validation")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=b", b"no boundary here"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nno name\r\n--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx',
        ),
        (
            "multipart/form-data; boundary=b; charset=rot13",
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
        ),
        (
            "multipart/form-data; boundary=b; charset=utf-16",
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
        ),
    ],
)
def test_a_hostile_multipart_body_is_a_problem_and_no_crash(api: Api, kind: str, body: bytes) -> None:
    answer = api.client.post("/v1/search", content=body, headers={"Content-Type": kind})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code in (400, 422)


def test_a_filter_narrows_the_list_and_not_the_verdict_and_the_answer_says_so(api: Api) -> None:
    plain = api.client.post("/v1/search", files={"image": ("a.png", png(1))}).json()
    assert (plain["kept_out"], plain["scope_note"]) == (0, None)
    for conditions in ({"label": "authentic"}, {"collections": "nowhere"}, {"platform": "none"}, {"generator": "none"}):
        by_picture = api.client.post("/v1/search", files={"image": ("a.png", png(1))}, data=conditions).json()
        given = {name: [value] if name == "collections" else value for name, value in conditions.items()}
        by_id = api.client.post("/v1/search", json={"image_id": api.fakes[1], "limit": 1, **given}).json()
        for answer in (by_picture, by_id):
            assert answer["verdict"]["outcome"] == "known_fake_match"
            assert answer["verdict"]["summary"] == plain["verdict"]["summary"]
            assert api.fakes[1] not in [match["image"]["image"]["sha256"] for match in answer["matches"]]
            assert answer["kept_out"] == len(answer["verdict"]["matched"])
            assert "because of the filter" in answer["scope_note"]
