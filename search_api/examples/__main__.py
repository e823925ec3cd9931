"""Records the examples: real requests to a real application, on pictures drawn here. Needs the `dev` extra.

Run it again when an answer changes its shape; a test compares every example with its schema.
"""

import io
import json
import random
import tempfile
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from indexer.campaigns import cluster
from indexer.catalog.detections import calibrations
from indexer.settings import Settings
from indexer.workspace import Workspace
from search_api.app import create_app
from search_api.examples.made_up import made_up_calibration

RECORDED: Final = Path(__file__).with_name("recorded.json")


def landscape(seed: int) -> Image.Image:
    """A made-up picture; every seed gives another one."""
    rng = random.Random(seed)
    picture = Image.new("RGB", (640, 480), (140, 180, 220))
    draw = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y, size = rng.randrange(-60, 640), rng.randrange(-60, 480), rng.randrange(20, 180)
        draw.ellipse((x, y, x + size, y + size // 2), fill=tuple(rng.randrange(256) for _ in range(3)))
    return picture.filter(ImageFilter.GaussianBlur(1))


def jpeg(picture: Image.Image, quality: int = 90, scale: float = 1.0) -> bytes:
    """The picture as a JPEG file, scaled."""
    size = round(picture.width * scale), round(picture.height * scale)
    buffer = io.BytesIO()
    picture.resize(size).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def record() -> dict[str, Any]:
    """Every example by name: `request` (a JSON body, or null) and `response`."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings.load(home=Path(home), offline=True, precision="fp32")
        workspace = Workspace(settings)
        with TestClient(create_app(settings, workspace), base_url="http://127.0.0.1") as client:
            return _Recorder(client, workspace, settings).everything()


class _Recorder:
    """Asks, and keeps what was asked and answered."""

    def __init__(self, client: TestClient, workspace: Workspace, settings: Settings) -> None:
        self._client = client
        self._workspace = workspace
        self._settings = settings
        self._recorded: dict[str, Any] = {}

    def everything(self) -> dict[str, Any]:
        fake = landscape(1)
        said = {
            "label": "fake",
            "technique": "splice",
            "stated_by": "verification desk",
            "reason": "two light sources",
            "platform": "examplegram",
            "account": "@example",
            "posted_at": "2026-03-01T09:30:00Z",
            "url": "https://social.example/p/1",
        }
        files = [
            ("files", ("first.jpg", jpeg(fake))),
            ("files", ("screenshot of it.jpg", jpeg(fake, 60, 0.7))),
            ("files", ("smaller.jpg", jpeg(fake, 75, 0.5))),
            ("files", ("notes.txt", b"no picture")),
        ]
        upload = self.keep("upload", "POST", "/v1/images", files=files, data=said)
        image, other = upload["files"][0]["sha256"], upload["files"][1]["sha256"]
        self._client.post("/v1/images", files={"files": ("street.jpg", jpeg(landscape(2)))}).raise_for_status()
        self.keep(
            "sighting", "POST", f"/v1/images/{image}/sightings", json={"platform": "examplechat", "language": "pt"}
        )
        self.keep("collection", "POST", "/v1/collections", json={"name": "elections 2026", "description": "All desks"})
        self.keep("collect", "POST", "/v1/collections/elections%202026/images", json={"sha256": [image, other]})
        statement = {"value": "fake", "stated_by": "Ana Example", "technique": "splice", "reason": "source photo found"}
        change = {"label": statement, "add_to_collections": ["reviewed"]}
        self.keep("change", "PATCH", f"/v1/images/{other}", json=change)
        self.keep("changes", "POST", "/v1/images/changes", json={"images": [image, other], **change})
        export = {"images": [image, other], "format": "csv"}
        self._client.post("/v1/images/export", json=export).raise_for_status()
        self._recorded["export"] = {"request": export, "response": None}
        cluster(self._workspace.catalog, self._workspace.index, self._settings)
        self.keep("search", "POST", "/v1/search", json={"image_id": image, "limit": 2})
        crop = ImageOps.mirror(fake.crop((80, 30, 600, 450)))
        self.keep("compare", "POST", "/v1/compare", files={"a": jpeg(crop, 60), "b": jpeg(fake)})
        box = {"left": "100", "top": "80", "right": "400", "bottom": "300", "limit": "1"}
        self.keep("region", "POST", "/v1/search/region", files={"image": jpeg(fake)}, data=box)
        self.keep("images", "GET", "/v1/images", params={"limit": 2, "label": "fake"})
        self.keep("facets", "GET", "/v1/images/facets", params={"label": "fake", "values": 2})
        self.keep("image", "GET", f"/v1/images/{image}")
        self.keep("similar", "GET", f"/v1/images/{image}/similar", params={"limit": 1})
        self.keep("collections", "GET", "/v1/collections")
        self.keep("detectors", "GET", "/v1/detectors")
        self.keep("status", "GET", "/v1/status")
        self.keep("descriptors", "GET", "/v1/descriptors")
        self.keep_calibrations()
        campaign = self.keep("campaigns", "GET", "/v1/campaigns")["items"][0]["id"]
        self.keep("campaign", "GET", f"/v1/campaigns/{campaign}")
        self.keep("members", "GET", f"/v1/campaigns/{campaign}/members", params={"limit": 2})
        self.keep("report", "GET", f"/v1/campaigns/{campaign}/report")
        self.keep_account_links()
        self.keep("novelties", "GET", "/v1/novelties")
        self.keep("rename", "PATCH", f"/v1/campaigns/{campaign}", json={"name": "The two suns", "by": "Ana Example"})
        self.keep_decisions(campaign, other)
        self.keep_review()
        self.keep_job(image)
        self.keep_watch()
        self.keep_hash_list()
        self.keep_problems(image)
        return self._recorded

    def keep(self, name: str, method: str, address: str, **asked: Any) -> Any:
        answer = self._client.request(method, address, **asked)
        answer.raise_for_status()
        self._recorded[name] = {"request": asked.get("json"), "response": answer.json()}
        return answer.json()

    def keep_job(self, known: str) -> None:
        """A job of two rows, as it was taken and when it has been answered."""
        rows = [{"name": "case 17", "sha256": known}, {"name": "case 18", "pdq": "f0" * 32}]
        links = self.keep("enrich", "POST", "/v1/enrich", json={"rows": rows})["links"]
        while self._client.get(links["self"]).json()["finished_at"] is None:
            pass
        self.keep("job", "GET", links["self"])
        self.keep("results", "GET", links["results"])

    def keep_account_links(self) -> None:
        """Two accounts that share three pictures within a minute, beside others that share none."""
        for number in range(20, 35):
            sha256 = self._client.post("/v1/images", files={"files": ("p.jpg", jpeg(landscape(number)))}).json()[
                "files"
            ][0]
            pairs = ("@left", "@right") if number < 23 else (f"@someone{number}",)
            for seconds, account in enumerate(pairs):
                seen = {
                    "platform": "examplegram",
                    "account": account,
                    "posted_at": f"2026-04-{number - 10}T10:00:0{seconds}Z",
                }
                self._client.post(f"/v1/images/{sha256['sha256']}/sightings", json=seen).raise_for_status()
        self.keep("account-links", "GET", "/v1/accounts/links")

    def keep_review(self) -> None:
        """What waits, and a decision about it."""
        item = self.keep("review", "GET", "/v1/review", params={"limit": 1})["items"][0]
        person = {"person": "Ana Example", "by": "Lead"}
        self.keep("review-assignment", "PUT", f"/v1/review/{item['id']}/assignment", json=person)
        answer = {"choice": "cannot_tell", "by": "Ana Example", "reason": "only a thumbnail is kept"}
        done = self.keep("review-decision", "POST", f"/v1/review/{item['id']}/decision", json=answer)
        self.keep("review-undo", "POST", f"/v1/review/decisions/{done['number']}/undo", json={"by": "Ana Example"})
        self.keep("review-decisions", "GET", "/v1/review/decisions")
        self.keep("review-counts", "GET", "/v1/review/counts")

    def keep_hash_list(self) -> None:
        """A list with a line that is none, and the lists that are here then."""
        lines = f"# example\npdq {'f0' * 32}\nnot a hash\n".encode()
        said = {"source": "Example Exchange"}
        self.keep("hash-list-import", "POST", "/v1/hash-lists", files={"file": ("list.pdq", lines)}, data=said)
        self.keep("hash-lists", "GET", "/v1/hash-lists")

    def keep_watch(self) -> None:
        """A watch, and what it found once an image came that meets its conditions."""
        asked = {"name": "new splices", "filter": {"label": "fake", "technique": "splice"}}
        watch = self.keep("watch", "POST", "/v1/watches", json=asked)
        said = {"label": "fake", "technique": "splice", "stated_by": "verification desk"}
        self._client.post("/v1/images", files={"files": ("new.jpg", jpeg(landscape(3)))}, data=said).raise_for_status()
        address = f"/v1/watches/{watch['id']}/events"
        while not self._client.get(address).json()["items"]:
            pass
        self.keep("watch-events", "GET", address)
        self.keep("watches", "GET", "/v1/watches")
        self.keep("watch-pause", "PATCH", f"/v1/watches/{watch['id']}", json={"paused": True})

    def keep_decisions(self, campaign: str, member: str) -> None:
        """A member rejected, what the record and the history then say, and the decision taken back."""
        address = f"/v1/campaigns/{campaign}"
        body = {"kind": "reject_member", "images": [member], "by": "Ana Example", "note": "another picture"}
        decision = self.keep("decide", "POST", f"{address}/decisions", json=body)
        self.keep("rejected", "GET", f"{address}/rejected")
        self.keep("decision", "GET", f"/v1/campaigns/decisions/{decision['id']}")
        self.keep("decision-images", "GET", f"/v1/campaigns/decisions/{decision['id']}/images")
        self.keep("image-history", "GET", f"/v1/images/{member}/history")
        undo = {"by": "Ana Example", "note": "it is the same after all"}
        self.keep("undo", "POST", f"/v1/campaigns/decisions/{decision['id']}/undo", json=undo)
        self.keep("decisions", "GET", "/v1/campaigns/decisions")
        self.keep("campaign-decisions", "GET", f"{address}/decisions", params={"limit": 2})
        self.keep("events", "GET", "/v1/campaigns/events")
        self.keep("campaign-events", "GET", f"{address}/events", params={"limit": 2})

    def keep_calibrations(self) -> None:
        """The list and one calibration; it is taken out of use again, so that the other examples stay as they are."""
        catalog, resolved = self._workspace.catalog, self._workspace.resolved
        with catalog.writing() as session:
            calibrations.add(session, made_up_calibration(resolved))
        self.keep("calibrations", "GET", "/v1/calibrations")
        self.keep("calibration", "GET", "/v1/calibrations/1")
        with catalog.writing() as session:
            calibrations.retire(session, resolved.fingerprint, 1)

    def keep_problems(self, known: str) -> None:
        """One real problem for each status, as `problem-STATUS`."""
        plain, json_type = {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}
        text = {"image": ("notes.txt", b"no picture")}
        for answer in (
            self._client.post("/v1/search", content=b"{", headers=json_type),
            self._client.get(f"/v1/images/{known[::-1]}"),
            self._client.post("/v1/collections", json={"name": "reviewed"}),
            self._client.post("/v1/search", content=b"x" * 2_000_000, headers=plain),
            self._client.post("/v1/search", content=b"x", headers=plain),
            self._client.post("/v1/search", files=text),
            self._client.delete(f"/v1/images/{known}", headers={"If-Match": '"an-older-one"'}),
        ):
            self._recorded[f"problem-{answer.status_code}"] = {"request": None, "response": answer.json()}


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(record(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
