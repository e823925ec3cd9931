"""The one settings class. Every field is also an environment variable `DEJAFAKE_<FIELD>`; see docs/settings.md."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from indexer.errors import UsageError

MIB = 1024 * 1024


class Settings(BaseSettings):
    """How this installation of dejafake works. Immutable once made."""

    model_config = SettingsConfigDict(env_prefix="DEJAFAKE_", frozen=True, extra="forbid")

    # where things are
    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("dejafake", appauthor=False),
        description="Folder that holds the catalogue, the originals, thumbnails, indexes and reports.",
    )
    database_url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of the catalogue. Unset: `catalogue.sqlite` in the home folder. "
        "PostgreSQL: `postgresql+psycopg://user:password@host/name`.",
    )
    models_dir: Path | None = Field(
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
        default=2_000, description="Most frames an animation may have; only the first is read."
    )
    thumbnail_size: Annotated[int, Field(ge=32, le=2048)] = Field(
        default=320, description="Longest side of a thumbnail, in pixels."
    )

    # detector
    detector: str = Field(
        default="dejafake-small",
        description="Detector in use: a name from `dejafake detector list`, or a folder that holds one.",
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
        description="What runs the detector on the CPU. `eager`: torch as it is, the reference. `onednn`: torch with "
        "oneDNN's products. `openvino`: the optional part `dejafake[openvino]`. `auto`: `eager` for the first 64 "
        "pictures, then the fastest in a trial of some seconds that agrees with fp32 (cosine at least 0.9995, p(fake) "
        "within 0.005); only `eager` where a precision is set.",
    )
    batch_size: Annotated[int, Field(ge=1, le=4096)] = Field(default=8, description="Images per forward pass.")
    threads: Annotated[int, Field(ge=0, le=1024)] = Field(
        default=0, description="Compute threads of the detector and the index. 0: one per core."
    )
    decode_workers: Annotated[int, Field(ge=1, le=256)] = Field(
        default=2, description="Threads that read, decode and hash pictures while the model runs."
    )

    # provenance
    c2pa_trust_anchors: Path | None = Field(
        default=None,
        description="PEM file of the certificate authorities whose C2PA signers are trusted. Unset: no signer is, and "
        "what manifests say is self-declared.",
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
        description="Smallest cosine of two embeddings that counts as the same origin, uncalibrated. Unset: the "
        "detector's own, 0.9 unless its description says otherwise. Once `dejafake calibrate` has measured one, that "
        "one counts.",
    )
    exact_search_max: Annotated[int, Field(ge=0)] = Field(
        default=50_000, description="Up to this many embeddings every search is exact; above, an IVF-PQ index is built."
    )
    search_recall: Annotated[float, Field(ge=0.5, le=1)] = Field(
        default=0.99,
        description="Share of the ten nearest that a search finds above `exact_search_max`. Each build measures what "
        "that takes, and `dejafake index status` shows what was reached.",
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
        "are shared in memory. With several, `threads` is of each, and 0 shares out the cores.",
    )
    api_token: SecretStr | None = Field(
        default=None, description="Bearer token every API request must carry. Unset: no token, loopback only."
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=("127.0.0.1", "localhost", "[::1]"),
        description="Host headers the API answers to, as a JSON list; guards against DNS rebinding.",
    )
    max_body_bytes: Annotated[int, Field(gt=0)] = Field(
        default=256 * MIB, description="Largest request body accepted, in bytes."
    )
    max_upload_files: Annotated[int, Field(ge=1)] = Field(default=64, description="Most files in one upload.")
    waiting_pictures_max: Annotated[int, Field(ge=1)] = Field(
        default=64,
        description="Most uploaded pictures that are searched with at a time; one more is answered with 503.",
    )
    request_timeout_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="A request that takes longer is answered with 503."
    )

    # jobs
    job_rows_max: Annotated[int, Field(ge=1)] = Field(default=5_000, description="Most rows in one enrichment job.")
    job_queue_rows: Annotated[int, Field(ge=1)] = Field(
        default=50_000, description="Most rows that may wait in jobs; a job that would add more is answered with 503."
    )
    job_keep_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=7, description="Days after which a finished job and its answers are forgotten."
    )
    callback_secret: SecretStr | None = Field(
        default=None,
        description="Key that signs callbacks with HMAC-SHA256. Unset: no job may name a callback, and a "
        "watch needs a key of its own for its webhook.",
    )
    callback_hosts: tuple[str, ...] = Field(
        default=(),
        description="Hosts that callbacks may go to although their addresses are private or they speak plain http, as "
        "a JSON list. Any other host must be https and have public addresses only.",
    )

    # watches
    watches_max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=200, description="Most watches that may be kept; each is looked at for every new image."
    )

    @classmethod
    def load(cls, **overrides: object) -> "Settings":
        """Settings from the environment and `overrides` (None means not given).

        Raises:
            UsageError: a value is out of range; names the setting and its variable.
        """
        try:
            return cls(**{key: value for key, value in overrides.items() if value is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "settings"
            raise UsageError(f"setting {name} (DEJAFAKE_{name.upper()}): {first['msg']}") from None

    @cached_property
    def catalog_url(self) -> str:
        """SQLAlchemy URL of the catalogue."""
        return self.database_url or f"sqlite:///{self.home / 'catalogue.sqlite'}"

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
