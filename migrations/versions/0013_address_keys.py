"""Addresses are found in all their spellings; jobs remember how often they were tried, and what reviews ask with.

Revision ID: 0013
Revises: 0012
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

from indexer.addresses import address_key

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

AT_ONCE = 1_000
SIGHTING = sa.table(
    "sighting",
    sa.column("id", sa.BigInteger()),
    sa.column("image_id", sa.BigInteger()),
    sa.column("digest", sa.LargeBinary()),
    sa.column("url", sa.Text()),
    sa.column("archive_url", sa.Text()),
    sa.column("platform", sa.Text()),
    sa.column("account", sa.Text()),
    sa.column("posted_at", sa.DateTime(timezone=True)),
    sa.column("caption", sa.Text()),
    sa.column("language", sa.Text()),
    sa.column("claim", sa.Text()),
)


def upgrade() -> None:
    """To this revision. Of sightings that are now the same, the first gets the new digest and the others keep theirs:
    none is lost, and the address as it was given stays."""
    op.add_column("job", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("job_item", sa.Column("questions", sa.Text(), nullable=True))
    _list_anew(address_key)


def downgrade() -> None:
    """Back to the revision before: addresses are compared as they are written again."""
    _list_anew(_as_written)
    op.drop_column("job_item", "questions")
    op.drop_column("job", "attempts")


def _list_anew(key: Callable[[str], str]) -> None:
    bind = op.get_bind()
    bind.execute(sa.text("DELETE FROM seen_address"))
    listed = sa.text("INSERT INTO seen_address (digest, image_id) VALUES (:digest, :image) ON CONFLICT DO NOTHING")
    renewed = sa.text(
        "UPDATE sighting SET digest = :digest WHERE id = :id AND NOT EXISTS "
        "(SELECT 1 FROM sighting AS other WHERE other.image_id = :image AND other.digest = :digest)"
    )
    for page in _pages():
        seen = {(sha256(key(url).encode()).digest(), row.image_id) for row in page for url in row[3:5] if url}
        if seen:
            bind.execute(listed, [{"digest": digest, "image": image} for digest, image in sorted(seen)])
        for row in page:
            digest = _digest(row, _unkeyed if key is _as_written else key)
            if digest != row.digest:
                bind.execute(renewed, {"digest": digest, "id": row.id, "image": row.image_id})


def _pages() -> Iterator[Sequence[sa.Row[Any]]]:
    after = 0
    while rows := (
        op.get_bind()
        .execute(sa.select(SIGHTING).where(SIGHTING.c.id > after).order_by(SIGHTING.c.id).limit(AT_ONCE))
        .all()
    ):
        yield rows
        after = rows[-1].id


def _digest(row: sa.Row[Any], key: Callable[[str], str]) -> bytes:
    """As `catalog.sightings` makes it: of the fields in their order, as JSON without blanks."""
    urls = [None if url is None else key(url) for url in (row.url, row.archive_url)]
    posted: datetime | None = row.posted_at
    if posted is not None:
        posted = posted.replace(tzinfo=UTC) if posted.tzinfo is None else posted.astimezone(UTC)
    moment = None if posted is None else posted.isoformat()
    values = [*urls, row.platform, row.account, moment, row.caption, row.language, row.claim]
    return sha256(json.dumps(values, separators=(",", ":")).encode()).digest()


def _unkeyed(url: str) -> str:
    return url


def _as_written(url: str) -> str:
    """What the revision before compared: case of scheme and host and the fragment are left out, and nothing else."""
    address, _, _ = url.strip().partition("#")
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.lower()}{slash}{path}"
