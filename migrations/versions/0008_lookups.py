"""Two tables that images are found by: the techniques their files declare, and the addresses they were seen at.

Revision ID: 0008
Revises: 0007
"""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT_ONCE = 1_000
FINDINGS = "SELECT id, image_id, technique, fields FROM provenance WHERE id > :after AND technique <> 'unknown'"
SIGHTINGS = "SELECT id, image_id, url, archive_url FROM sighting WHERE id > :after"


def upgrade() -> None:
    """To this revision; what findings and sightings of today say is listed."""
    _create("declared_technique", sa.Column("technique", sa.String(32), nullable=False))
    for page in _pages(FINDINGS):
        declared = {
            (technique, image_id)
            for _, image_id, first, fields in page
            for technique in (first, *json.loads(fields).get("generation", {}).get("techniques", ()))
        }
        _insert("declared_technique", "technique", declared)
    _create("seen_address", sa.Column("digest", sa.LargeBinary(), nullable=False))
    for page in _pages(SIGHTINGS):
        _insert("seen_address", "digest", {(address_digest(url), row[1]) for row in page for url in row[2:] if url})


def downgrade() -> None:
    """Back to the revision before; nothing is lost, findings and sightings say it all."""
    op.drop_table("seen_address")
    op.drop_table("declared_technique")


def address_digest(url: str) -> bytes:
    """The digest as it was in this revision: case of scheme and host and the fragment left out, and nothing else."""
    address, _, _ = url.strip().partition("#")
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return sha256(f"{scheme.lower()}{separator}{host.lower()}{slash}{path}".encode()).digest()


def _create(table: str, column: sa.Column[Any]) -> None:
    """A table of what `column` says of images, which leads its primary key."""
    op.create_table(
        table,
        column,
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=f"fk_{table}_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(column.name, "image_id", name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{table}_image_id", table, ["image_id"])


def _pages(select: str) -> Iterator[Sequence[sa.Row[Any]]]:
    page, after = sa.text(f"{select} ORDER BY id LIMIT {AT_ONCE}"), 0
    while rows := op.get_bind().execute(page, {"after": after}).all():
        yield rows
        after = rows[-1].id


def _insert(table: str, column: str, rows: set[tuple[Any, int]]) -> None:
    """Rows that may be there already."""
    statement = sa.text(f"INSERT INTO {table} ({column}, image_id) VALUES (:said, :image) ON CONFLICT DO NOTHING")  # noqa: S608
    if rows:
        op.get_bind().execute(statement, [{"said": said, "image": image} for said, image in sorted(rows)])
