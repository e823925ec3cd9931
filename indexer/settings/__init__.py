"""The one settings class. Every field is also an environment variable `DEJAFAKE_<FIELD>`; see docs/settings.md."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from indexer.errors import UsageError
from indexer.settings.values import AnyPath, HostNames, Names, Secret, warn_of_unknown, wrong

if TYPE_CHECKING:
    from sqlalchemy import URL

MIB = 1024 * 1024


class Settings(BaseSettings):
    """How this installation of dejafake works. Immutable once made."""

    model_config = SettingsConfigDict(env_prefix="DEJAFAKE_", frozen=True, extra="forbid", env_ignore_empty=True)

    # where things are
    home: AnyPath = Field(
        default_factory=lambda: platformdirs.user_data_path("dejafake", appauthor=False),
        description="Folder that holds the catalogue, the originals, thumbnails, indexes and reports.",
    )
    database_url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of the catalogue. Unset: `catalogue.sqlite` in the home folder. "
        "PostgreSQL: `postgresql+psycopg://user:password@host/name`.",
    )
    models_dir: AnyPath | None = Field(
        default=None, description="Where pulled detector weights are kept. Unset: `models` in the home folder."
    )
    keep_originals: bool = Field(
        default=True, description="Keep the bytes of every ingested image under `media/`, named by SHA-256."
    )

    # imaging
    max_file_bytes: Annotated[int, Field(gt=0)] = Field(
        default=64 * MIB, description="Largest image file accepted, in bytes."
    )
    max_pixels: Annotated[int, Field(gt=0)] = Field(
        default=100_000_000, description="Largest picture accepted, width times height, checked before decoding."
    )
    max_frames: Annotated[int, Field(gt=0)] = Field(
        default=2_000,
        description="Most frames an animation may have. One frame is used: the first that is not blank.",
    )
    max_decoded_bytes: Annotated[int | None, Field(gt=0)] = Field(
        default=None,
        description="Bytes that the pixels of all pictures decoded at a time may take, in each process; others wait, "
        "and a picture larger than this is decoded alone. Unset: a quarter of the machine's memory, at most "
        "1,500,000,000, divided among the processes of a server.",
    )
    strict: bool = Field(
        default=False,
        description="Refuse truncated files. Unset: the part of the picture that is there is used, with a note.",
    )
    thumbnail_size: Annotated[int, Field(ge=32, le=2048)] = Field(
        default=320, description="Longest side of a thumbnail, in pixels."
    )

    # detector
    detector: str = Field(
        default="dejafake-small",
        description="Detector in use: a name from `dejafake detector list`, or a folder that holds one.",
    )
    copy_descriptor: str = Field(
        default="dejafake-copies",
        description="Copy descriptor in use, which finds altered copies: a name from `dejafake descriptor list`, a "
        "folder or ONNX model that is one, or `off`.",
    )
    local_features: bool = Field(
        default=True,
        description="Keep local features of images, 1.5 KB each: altered copies are verified and parts found by them.",
    )
    offline: bool = Field(default=False, description="Never contact the model hub; use only weights already here.")
    device: Literal["auto", "cpu", "cuda", "mps", "xpu"] = Field(
        default="auto", description="Where the detector runs. `auto` takes CUDA, then MPS, then XPU, then the CPU."
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        default="auto",
        description="Arithmetic of the detector. `auto`: fp16 on CUDA and MPS, bf16 on XPU; on the CPU the fastest "
        "that agrees with fp32, see DEJAFAKE_RUNTIME.",
    )
    runtime: Literal["auto", "eager", "onednn", "openvino"] = Field(
        default="auto",
        description="What runs the detector and the copy descriptor on the CPU. `eager`: torch as it is, the "
        "reference. `onednn`: torch with oneDNN's products (the detector only). `openvino`: the optional part "
        "`dejafake[openvino]`. `auto`: `eager` for the first 64 pictures, then the fastest in a trial of some seconds "
        "that agrees with fp32 (cosine at least 0.9995, p(fake) within 0.005); only `eager` where a precision is set.",
    )
    batch_size: Annotated[int, Field(ge=1, le=4096)] = Field(default=8, description="Images per forward pass.")
    threads: Annotated[int, Field(ge=0, le=1024)] = Field(
        default=0, description="Compute threads of the detector and the index. 0: one per core."
    )
    decode_workers: Annotated[int, Field(ge=1, le=256)] = Field(
        default=2, description="Threads that read, decode and hash pictures while the model runs."
    )

    # provenance
    c2pa_trust_anchors: AnyPath | None = Field(
        default=None,
        description="PEM file of the certificate authorities whose C2PA signers are trusted. Unset: no signer is "
        "trusted, and what manifests say counts as self-declared.",
    )

    # search
    search_limit: Annotated[int, Field(ge=1)] = Field(
        default=10, description="Matches returned when no limit is given."
    )
    search_limit_max: Annotated[int, Field(ge=1)] = Field(
        default=200, description="Most matches one search may ask for."
    )
    same_picture_max_distance: Annotated[int, Field(ge=0, le=64)] = Field(
        default=31, description="Largest PDQ Hamming distance (of 256 bits) that counts as the same picture."
    )
    pdq_min_quality: Annotated[int, Field(ge=0, le=100)] = Field(
        default=50, description="PDQ hashes of lower quality are not compared: the picture has too little structure."
    )
    same_origin_min_cosine: Annotated[float | None, Field(ge=-1, le=1)] = Field(
        default=None,
        description="Smallest cosine of two embeddings that counts as the same origin, uncalibrated, in searches, "
        "watches, campaigns and novelties alike. Unset: the detector's own, 0.9 unless its description says otherwise. "
        "Once `dejafake calibrate` has measured cosines, its smallest for suggested pairs is used instead; if it "
        "found no such cosine, nothing counts as the same origin.",
    )
    exact_search_max: Annotated[int, Field(ge=0)] = Field(
        default=50_000, description="Up to this many embeddings every search is exact; above, an IVF-PQ index is built."
    )
    search_recall: Annotated[float, Field(ge=0.5, le=1)] = Field(
        default=0.99,
        description="Share of the ten nearest that a search finds above `exact_search_max`. Each index build "
        "measures the effort this needs; `dejafake index status` shows the recall reached.",
    )
    tail_merge_at: Annotated[int, Field(ge=1)] = Field(
        default=4_096, description="New embeddings since the last snapshot at which a background merge starts."
    )

    # campaigns
    campaign_neighbours: Annotated[int, Field(ge=2, le=200)] = Field(
        default=15, description="Neighbours per image in the campaign graph."
    )
    campaign_min_size: Annotated[int, Field(ge=2)] = Field(default=3, description="Fewest images that make a campaign.")

    # HTTP
    host: str = Field(
        default="127.0.0.1", description="Address the API listens on. Anything but loopback needs `api_token`."
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=8000, description="Port the API listens on; 0 picks a free one."
    )
    workers: Annotated[int, Field(ge=1, le=256)] = Field(
        default=1,
        description="Processes that answer the API. Each loads the detector and keeps its own queue; the index's files "
        "are shared in memory. With several, `threads` counts for each, and 0 divides the cores among them.",
    )
    api_token: Secret | None = Field(
        default=None, description="Bearer token every API request must carry. Unset: no token, loopback only."
    )
    allowed_hosts: HostNames = Field(
        default=("127.0.0.1", "localhost", "[::1]"),
        description="Host names the API answers to, without ports: one, several with commas between, or a JSON list; "
        "guards against DNS rebinding.",
    )
    max_body_bytes: Annotated[int, Field(gt=0)] = Field(
        default=256 * MIB, description="Largest request body accepted, in bytes."
    )
    max_upload_files: Annotated[int, Field(ge=1)] = Field(default=64, description="Most files in one upload.")
    waiting_pictures_max: Annotated[int, Field(ge=1)] = Field(
        default=64,
        description="Most uploaded pictures that are searched with at a time; further requests get 503.",
    )
    heavy_requests_max: Annotated[int, Field(ge=1)] = Field(
        default=16,
        description="Most uploads, comparisons, region searches, heat maps and reports that are worked on at a time; "
        "further ones get 503. They share half the threads, so that searches always find a free one.",
    )
    pass_seconds_max: Annotated[float, Field(gt=0)] = Field(
        default=600.0,
        description="A pass of the detector that takes longer counts as stuck: `/healthz` then fails, so that the "
        "process gets restarted.",
    )
    request_timeout_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="A request that takes longer is answered with 503."
    )

    connections_max: Annotated[int, Field(ge=32, le=60_000)] = Field(
        default=1_000,
        description="Most connections a process takes at a time, fewer where the limit of open files is lower. A "
        "further one closes the connection that has been idle longest; the last 16 are reserved for `/healthz`, "
        "`/readyz` and "
        "`/metrics`.",
    )
    header_timeout_seconds: Annotated[float, Field(gt=0, le=3_600)] = Field(
        default=15.0, description="Longest time for a request's headers to arrive."
    )
    body_stall_seconds: Annotated[float, Field(gt=0, le=3_600)] = Field(
        default=20.0,
        description="Longest pause while a request's body arrives. The whole request, with its answer, has "
        "`request_timeout_seconds`.",
    )
    keep_alive_seconds: Annotated[int, Field(ge=1, le=3_600)] = Field(
        default=15, description="Longest time a connection stays open between two requests."
    )

    # jobs
    job_rows_max: Annotated[int, Field(ge=1)] = Field(default=5_000, description="Most rows in one enrichment job.")
    job_queue_rows: Annotated[int, Field(ge=1)] = Field(
        default=50_000, description="Most rows that may wait in jobs; a job that would exceed this gets 503."
    )
    job_keep_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=7, description="Days after which a finished job and its answers are deleted."
    )
    callback_secret: Secret | None = Field(
        default=None,
        description="Key that signs callbacks (Standard Webhooks): any text, or `whsec_` and base64. Unset: no job may "
        "name a callback, and a watch needs a key of its own for its webhook.",
    )
    callback_hosts: Names = Field(
        default=(),
        description="Hosts that callbacks may go to although their addresses are private or they speak plain http: "
        "`host` on the ports 80 and 443, `host:port` on that port; one, several with commas between, or a JSON list. "
        "Any other must be https and have public addresses only.",
    )

    # watches
    watches_max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=200, description="Most watches; every new image is checked against each of them."
    )

    def __init__(self, **given: Any) -> None:
        """Settings from what is given, else from the environment.

        Raises:
            UsageError: a value is wrong; one line names the setting and its variable.
        """
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise UsageError(wrong(error)) from None

    @classmethod
    def load(cls, **overrides: object) -> "Settings":
        """Settings from the environment and `overrides` (None means not given). Warns of variables that are none.

        Raises:
            UsageError: a value is wrong; one line names the setting and its variable.
        """
        warn_of_unknown(cls.model_fields)
        return cls(**{key: value for key, value in overrides.items() if value is not None})

    @cached_property
    def catalog_url(self) -> "URL":
        """SQLAlchemy URL of the catalogue.

        Raises:
            UsageError: the setting `database_url` is not one.
        """
        from sqlalchemy import URL, make_url
        from sqlalchemy.exc import ArgumentError

        if self.database_url is None:
            return URL.create("sqlite", database=str(self.catalogue_file))
        try:
            return make_url(self.database_url)
        except (ArgumentError, ValueError):
            raise UsageError(
                "setting database_url (DEJAFAKE_DATABASE_URL): not a database URL: write sqlite:///path or "
                "postgresql://user@host/name, with %-escapes for special characters"
            ) from None

    @cached_property
    def catalogue_file(self) -> Path:
        """The SQLite catalogue; not used with a `database_url`."""
        return self.home / "catalogue.sqlite"

    @cached_property
    def media_dir(self) -> Path:
        """Originals, content-addressed."""
        return self.home / "media"

    @cached_property
    def thumbnails_dir(self) -> Path:
        """Derived thumbnails, content-addressed like the originals."""
        return self.home / "thumbnails"

    @cached_property
    def index_dir(self) -> Path:
        """Vector snapshots, one folder per detector fingerprint."""
        return self.home / "index"

    @cached_property
    def jobs_dir(self) -> Path:
        """Uploaded pictures of jobs that are not finished."""
        return self.home / "jobs"

    @cached_property
    def reports_dir(self) -> Path:
        """Campaign reports and lists of rejected files."""
        return self.home / "reports"

    @cached_property
    def weights_dir(self) -> Path:
        """Pulled and generated detector weights, and the heads trained on them."""
        return self.models_dir or self.home / "models"
