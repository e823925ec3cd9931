"""/v1/images: adding, listing, describing and deleting images."""

import hashlib
import io
from collections.abc import Callable

import pytest
from PIL import Image

from tests.made_pictures import encoded, generated_png, png, png_that_claims, scene
from tests.search_api.served import Api, fill, problem_of


def upload(api: Api, *files: tuple[str, bytes], **said: object) -> dict[str, object]:
    answer = api.client.post("/v1/images", files=[("files", file) for file in files], data=said)
    assert answer.status_code == 200, answer.text
    document: dict[str, object] = answer.json()
    return document


def test_one_bad_picture_never_fails_the_others(scratch: Api) -> None:
    report = upload(
        scratch, ("good.png", png(211)), ("bad.jpg", b"text"), ("empty.png", b""), ("also good.png", png(212))
    )
    assert [outcome["status"] for outcome in report["files"]] == ["added", "rejected", "rejected", "added"]
    assert [outcome["reason"] for outcome in report["files"]] == [None, "not_an_image", "empty", None]
    assert all(outcome["message"] for outcome in report["files"] if outcome["status"] == "rejected")
    assert (report["added"], report["known"], report["rejected"]) == (2, 0, 2)
    assert not list(scratch.settings.home.rglob("rejected-*"))


def test_the_same_picture_again_is_known(scratch: Api) -> None:
    upload(scratch, ("a.png", png(221)))
    report = upload(scratch, ("b.png", png(221)), ("c.png", png(222)), ("d.png", png(222)))
    assert [outcome["status"] for outcome in report["files"]] == ["known", "added", "known"]
    assert report["files"][0]["sha256"] == hashlib.sha256(png(221)).hexdigest()


def test_an_added_picture_is_found_by_the_next_search(scratch: Api) -> None:
    upload(scratch, ("a.png", png(231)), label="fake", stated_by="desk")
    found = scratch.client.post("/v1/search", files={"image": ("x.png", png(231))}).json()
    assert found["verdict"]["outcome"] == "known_fake_match"


def test_everything_said_of_an_upload_is_kept(scratch: Api) -> None:
    said = {
        "label": "fake",
        "stated_by": "Ana of the night desk",
        "technique": "face_swap",
        "generator": "SwapMe 2",
        "reason": "the ears differ",
        "collections": ["elections", "urgent"],
        "platform": "Somegram",
        "account": "@someone",
        "posted_at": "2026-03-01T12:00:00+02:00",
        "url": "https://example.org/p/1",
        "claim": "He was there",
    }
    sha256 = upload(scratch, ("a.png", png(241)), **said)["files"][0]["sha256"]
    image = scratch.client.get(f"/v1/images/{sha256}").json()
    label = image["labels"][0]
    assert (label["value"], label["source"], label["source_kind"]) == ("fake", "Ana of the night desk", "human")
    assert (label["technique"], label["generator"], label["reason"]) == ("face_swap", "SwapMe 2", "the ears differ")
    assert sorted(image["collections"]) == ["elections", "urgent"]
    sighting = image["sightings"][0]
    assert (sighting["platform"], sighting["account"], sighting["claim"]) == ("Somegram", "@someone", "He was there")
    assert sighting["posted_at"].startswith("2026-03-01T10:00:00")
    assert image["sources"] == [{"source": "upload", "location": "a.png", "fields": {}}]


@pytest.mark.parametrize(
    "said",
    [
        {"label": "fake"},
        {"technique": "splice"},
        {"label": "fake", "stated_by": "x" * 201},
        {"label": "fake", "stated_by": "me", "source_kind": "model"},
        {"colour": "red"},
        {"posted_at": "yesterday"},
    ],
)
def test_fields_that_make_no_sense_stop_the_upload_before_it_begins(scratch: Api, said: dict[str, str]) -> None:
    answer = scratch.client.post("/v1/images", files={"files": ("a.png", png(251))}, data=said)
    problem_of(answer, 422, "validation")
    assert scratch.client.get(f"/v1/images/{hashlib.sha256(png(251)).hexdigest()}").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "C:\\windows\\system32\\x.png",
        "a\x00b.png",
        "\u202egnp.exe",
        "<img src=x onerror=alert(1)>.png",
        "x" * 500 + ".png",
        "'; DROP TABLE image; --.png",
        "名前 🎭.png",
        "",
    ],
)
def test_hostile_file_names_are_only_ever_text(scratch: Api, name: str) -> None:
    quoted = name.replace("\x00", "%00")
    head = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{quoted}"\r\n\r\n'.encode()
    body = head + png(261) + b"\r\n--b--\r\n"
    answer = scratch.client.post(
        "/v1/images", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    outcome = answer.json()["files"][0]
    assert outcome["status"] in ("added", "known")
    assert len(outcome["file"]) <= 200
    assert not any(ord(letter) < 32 or letter == "\u202e" for letter in outcome["file"])
    outside = {path.name for path in scratch.settings.home.parent.iterdir()}
    assert outside == {"home"}


def test_a_file_name_longer_than_any_header_is_refused(scratch: Api) -> None:
    answer = scratch.client.post("/v1/images", files={"files": ("x" * 50_000, png(271))})
    problem_of(answer, 400, "bad-request")


def test_too_many_files_are_refused(start: Callable[..., Api]) -> None:
    small = start(max_upload_files=2)
    files = [("files", (f"{seed}.png", png(seed))) for seed in range(3)]
    problem_of(small.client.post("/v1/images", files=files), 413, "content-too-large")


def test_an_upload_without_files_is_refused(scratch: Api) -> None:
    problem_of(scratch.client.post("/v1/images", files={"file": ("a.png", png(281))}), 422, "validation")
    problem_of(scratch.client.post("/v1/images", data={"label": "fake"}), 415, "unsupported-media-type")


def test_a_file_over_the_limit_is_rejected_alone(start: Callable[..., Api]) -> None:
    small = start(max_file_bytes=len(png(1)))
    large = encoded(Image.effect_noise((400, 400), 90).convert("RGB"))
    report = upload(small, ("large.png", large), ("fits.png", png(1)))
    assert [outcome["reason"] for outcome in report["files"]] == ["too_many_bytes", None]


def test_a_pixel_bomb_is_rejected_before_it_is_decoded(scratch: Api) -> None:
    assert upload(scratch, ("bomb.png", png_that_claims(50_000, 50_000)))["files"][0]["reason"] == "too_many_pixels"


def test_images_are_listed_newest_first_and_page_by_page(api: Api) -> None:
    seen, cursor = [], None
    for _ in range(10):
        page = api.client.get("/v1/images", params={"limit": 4, **({"cursor": cursor} if cursor else {})}).json()
        seen += [image["sha256"] for image in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 9
    assert set(seen[:3]) == set(api.authentic.values())


def test_the_list_can_be_filtered(api: Api) -> None:
    fakes = api.client.get("/v1/images", params={"label": "fake", "technique": "splice"}).json()["items"]
    assert {image["sha256"] for image in fakes} == set(api.fakes.values())


@pytest.mark.parametrize("query", ["cursor=nonsense", "limit=0", "limit=1001", "label=maybe", "lable=fake", "limit=x"])
def test_a_list_query_that_makes_no_sense_is_explained(api: Api, query: str) -> None:
    answer = api.client.get(f"/v1/images?{query}")
    problem_of(answer, 422, "usage" if query.startswith("cursor") else "validation")


def test_a_later_label_by_a_person_wins_and_the_earlier_stays(scratch: Api) -> None:
    said = {"label": "authentic", "stated_by": "a feed", "source_kind": "trusted_feed"}
    sha256 = upload(scratch, ("a.png", png(301)), **said)["files"][0]["sha256"]
    change = {"label": {"value": "fake", "stated_by": "Ana", "reason": "shadows"}, "add_to_collections": ["reviewed"]}
    image = scratch.client.patch(f"/v1/images/{sha256}", json=change).json()
    assert (image["image"]["label"]["value"], image["image"]["label"]["source"]) == ("fake", "Ana")
    assert [label["source"] for label in image["labels"]] == ["a feed", "Ana"]
    assert image["collections"] == ["reviewed"]
    image = scratch.client.patch(f"/v1/images/{sha256}", json={"remove_from_collections": ["reviewed"]}).json()
    assert image["collections"] == []


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"label": {"value": "fake"}},
        {"label": {"value": "nonsense", "stated_by": "me"}},
        {"add_to_collections": ["a"], "remove_from_collections": ["a"]},
        {"labels": []},
    ],
)
def test_a_change_that_makes_no_sense_is_explained(api: Api, change: dict[str, object]) -> None:
    problem_of(api.client.patch(f"/v1/images/{api.fakes[1]}", json=change), 422, "validation")


def test_a_change_is_made_whole_or_not_at_all(scratch: Api) -> None:
    sha256 = upload(scratch, ("a.png", png(311)))["files"][0]["sha256"]
    change = {"label": {"value": "fake", "stated_by": "Ana"}, "remove_from_collections": ["no such"]}
    problem_of(scratch.client.patch(f"/v1/images/{sha256}", json=change), 404, "not-found")
    assert scratch.client.get(f"/v1/images/{sha256}").json()["labels"] == []


def test_a_deleted_image_is_gone_from_answers_and_from_disk(scratch: Api) -> None:
    sha256 = upload(scratch, ("a.png", png(321)), label="fake", stated_by="desk")["files"][0]["sha256"]
    assert scratch.client.delete(f"/v1/images/{sha256}", params={"reason": "asked to"}).status_code == 204
    for address in ("", "/thumbnail", "/similar", "/sightings"):
        problem_of(scratch.client.get(f"/v1/images/{sha256}{address}"), 404, "not-found")
    found = scratch.client.post("/v1/search", files={"image": ("a.png", png(321))}).json()["matches"]
    assert sha256 not in {match["image"]["image"]["sha256"] for match in found}
    assert not [path for path in scratch.settings.home.rglob(f"{sha256}*") if path.is_file()]
    problem_of(scratch.client.delete(f"/v1/images/{sha256}"), 404, "not-found")


def test_a_thumbnail_is_a_small_jpeg_that_caches_by_its_tag(api: Api) -> None:
    answer = api.client.get(f"/v1/images/{api.fakes[1]}/thumbnail")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")
    again = api.client.get(f"/v1/images/{api.fakes[1]}/thumbnail", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_similar_images_leave_out_the_image_itself(api: Api) -> None:
    answer = api.client.get(f"/v1/images/{api.fakes[1]}/similar", params={"limit": 3}).json()
    found = [match["image"]["image"]["sha256"] for match in answer["matches"]]
    assert len(found) == 3
    assert api.fakes[1] not in found


def test_the_largest_number_of_similar_images_is_not_one_fewer(start: Callable[..., Api]) -> None:
    own = start(search_limit=2, search_limit_max=2)
    fill(own, own.fakes, range(1, 4), label="fake", stated_by="desk")
    found = own.client.get(f"/v1/images/{own.fakes[1]}/similar", params={"limit": 2}).json()["matches"]
    assert {match["image"]["image"]["sha256"] for match in found} == {own.fakes[2], own.fakes[3]}
    assert own.client.get(f"/v1/images/{own.fakes[1]}/similar", params={"limit": 3}).status_code == 422


def test_similar_images_of_an_authentic_one_come_from_known_fakes_unless_any_is_asked(api: Api) -> None:
    address = f"/v1/images/{api.authentic[7]}/similar"
    fakes = api.client.get(address, params={"limit": 50}).json()["matches"]
    assert {match["image"]["image"]["sha256"] for match in fakes} == set(api.fakes.values())
    everything = api.client.get(address, params={"limit": 50, "label": "any"}).json()["matches"]
    assert len(everything) == 8


def test_a_sighting_is_kept_once(scratch: Api) -> None:
    sha256 = upload(scratch, ("a.png", png(331)))["files"][0]["sha256"]
    report = {"platform": "Onlygram", "posted_at": "2026-05-01T00:00:00Z", "url": "http://169.254.169.254/latest"}
    first = scratch.client.post(f"/v1/images/{sha256}/sightings", json=report)
    assert (first.status_code, first.json()["added"]) == (201, 1)
    again = scratch.client.post(f"/v1/images/{sha256}/sightings", json=report).json()
    assert (again["added"], len(again["sightings"])) == (0, 1)
    assert scratch.client.get(f"/v1/images/{sha256}/sightings").json()["sightings"] == again["sightings"]
    found = scratch.client.get("/v1/images", params={"platform": "Onlygram", "posted_to": "2026-06-01"}).json()["items"]
    assert [image["sha256"] for image in found] == [sha256]


def test_an_empty_sighting_is_refused(api: Api) -> None:
    problem_of(api.client.post(f"/v1/images/{api.fakes[1]}/sightings", json={}), 422, "validation")


@pytest.mark.parametrize("address", ["xyz", "0" * 63, "%2e%2e%2fetc", "0" * 64])
def test_an_image_that_is_none_is_explained(api: Api, address: str) -> None:
    answer = api.client.get(f"/v1/images/{address}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code in (404, 422)


def test_two_uploads_at_once_do_not_disturb_each_other(scratch: Api) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def send(first: int) -> int:
        files = [(f"{seed}.png", encoded(scene(seed))) for seed in range(first, first + 4)]
        return int(str(upload(scratch, *files)["added"]))

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(send, [340, 342, 344])) == 8


def test_what_a_file_says_of_its_origin_is_served_and_found(scratch: Api) -> None:
    data = generated_png(291, model_hash="AA291")
    sha256 = upload(scratch, ("a.png", data))["files"][0]["sha256"]
    image = scratch.client.get(f"/v1/images/{sha256}").json()
    (told,) = image["provenance"]
    assert (told["kind"], told["worth"], told["technique"]) == ("generation", "self_declared", "inpainting")
    assert (told["made_with"], told["model_hash"]) == ("AUTOMATIC1111", "aa291")
    assert told["fields"]["generation"]["seed"] == "5"
    assert image["provenance_read_at"]
    assert image["image"]["label"]["value"] == "unknown"
    for query, expected in (
        ({"model_hash": "AA291"}, [sha256]),
        ({"model_hash": "aa291", "made_with": "automatic1111"}, [sha256]),
        ({"model_hash": "aa291", "declared_technique": "inpainting"}, [sha256]),
        ({"model_hash": "aa291", "digital_source_type": "trainedAlgorithmicMedia"}, []),
    ):
        listed = scratch.client.get("/v1/images", params=query).json()["items"]
        assert [one["sha256"] for one in listed] == expected
    found = scratch.client.post(
        "/v1/search", files={"image": ("x.png", data)}, data={"model_hash": "AA291", "label": "any"}
    ).json()
    assert [one["image"]["image"]["sha256"] for one in found["matches"]] == [sha256]
    assert found["provenance"] == image["provenance"]
    assert {one["kind"] for one in found["verdict"]["evidence"]} >= {"self_declared"}


def test_facets_count_each_condition_without_itself(scratch: Api) -> None:
    for seed, label, platform in ((601, "fake", "vk"), (602, "fake", "x"), (603, "authentic", "x")):
        said = {"label": label, "stated_by": "desk", "platform": platform, "collections": "counted"}
        upload(scratch, ("a.png", png(seed)), **said, posted_at="2026-03-01")
    asked = {"collections": "counted", "label": "fake", "platform": "x", "values": 1}
    answer = scratch.client.get("/v1/images/facets", params=asked).json()
    facets = {facet["field"]: facet for facet in answer["facets"]}
    assert (answer["images"], answer["current"]) == (1, True)
    assert facets["label"]["values"][-1] == {"value": "fake", "images": 1, "name": None}
    assert [value["images"] for value in facets["platform"]["values"]] == [1, 1]
    assert facets["platform"]["distinct"] == 2
    assert answer["months"] == [{"month": "2026-03", "images": 1}]
    problem_of(scratch.client.get("/v1/images/facets", params={"values": 0}), 422, "validation")
    problem_of(scratch.client.get("/v1/images/facets", params={"colour": "red"}), 422, "validation")


def test_many_images_are_changed_at_once_or_none(scratch: Api) -> None:
    digests = [upload(scratch, ("a.png", png(seed)))["files"][0]["sha256"] for seed in (611, 612)]
    change = {"label": {"value": "fake", "stated_by": "desk"}, "add_to_collections": ["both"]}
    missing = scratch.client.post("/v1/images/changes", json={"images": [*digests, "0" * 64], **change})
    problem_of(missing, 404, "not-found")
    assert scratch.client.get(f"/v1/images/{digests[0]}").json()["labels"] == []
    done = scratch.client.post("/v1/images/changes", json={"images": [*digests, digests[0]], **change}).json()
    assert (done["labelled"], sorted(done["collected"]["both"])) == (2, sorted(digests))
    again = scratch.client.post("/v1/images/changes", json={"images": digests, **change}).json()
    assert again == {"labelled": 0, "collected": {"both": []}, "uncollected": {}}
    taken = {"images": digests[:1], "remove_from_collections": ["both"]}
    assert scratch.client.post("/v1/images/changes", json=taken).json()["uncollected"] == {"both": 1}
    problem_of(scratch.client.post("/v1/images/changes", json={"images": [], **change}), 422, "validation")
    problem_of(scratch.client.post("/v1/images/changes", json={"images": digests}), 422, "validation")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "stix", "misp", "mediareview"])
def test_images_are_exported_in_every_format(scratch: Api, kind: str) -> None:
    said = {"label": "fake", "stated_by": "desk"}
    digests = [upload(scratch, ("a.png", png(seed)), **said)["files"][0]["sha256"] for seed in (621, 622)]
    answer = scratch.client.post("/v1/images/export", json={"images": digests, "format": kind})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith('attachment; filename="images.')
    if kind != "mediareview":  # which lists reviews, of images with a claim
        assert all(digest in answer.text for digest in digests)
    problem_of(scratch.client.post("/v1/images/export", json={"images": ["0" * 64], "format": kind}), 404, "not-found")


def test_the_large_picture_has_only_pixels_and_the_history_tells_who_did_what(scratch: Api) -> None:
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    data = encoded(scene(811), "JPEG", exif=exif)
    said = {"label": "fake", "stated_by": "Nadia", "reason": "because", "platform": "x"}
    scratch.client.post("/v1/images", files={"files": ("a.jpg", data)}, data=said).raise_for_status()
    address = f"/v1/images/{hashlib.sha256(data).hexdigest()}"
    large = scratch.client.get(f"{address}/picture")
    assert large.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(large.content)) as picture:
        assert (picture.size, dict(picture.getexif())) == (scene(811).size, {})
    again = scratch.client.get(f"{address}/picture", headers={"If-None-Match": large.headers["ETag"]})
    assert again.status_code == 304
    events = scratch.client.get(f"{address}/history").json()["events"]
    assert {(event["what"], event["by"], event["value"]) for event in events} == {
        ("added", None, None),
        ("label", "Nadia", "fake"),
        ("sighting", None, "x"),
    }
    for part in ("picture", "history"):
        problem_of(scratch.client.get(f"/v1/images/{'0' * 64}/{part}"), 404, "not-found")
