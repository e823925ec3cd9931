"""Saved queries, the members of campaigns they know, and what they found.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "watch",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("hashes", sa.Text(), nullable=True),
        sa.Column("pdq_quality", sa.SmallInteger(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("campaign_id", sa.String(length=32), nullable=True),
        sa.Column("filter", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("paused_at", TIME, nullable=True),
        sa.Column("began_after", sa.BigInteger(), nullable=False),
        sa.Column("image_after", sa.BigInteger(), nullable=False),
        sa.Column("embedding_after", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("told_to", sa.BigInteger(), nullable=False),
        sa.Column("telling_to", sa.BigInteger(), nullable=True),
        sa.Column("tell_at", TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("stopped_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_watch"),
    )
    op.create_index("ix_watch_tell_at", "watch", ["tell_at"])
    op.create_table(
        "watched_member",
        sa.Column("watch_id", sa.String(length=32), nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(["watch_id"], ["watch.id"], name="fk_watched_member_watch_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_watched_member_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("watch_id", "image_id", name="pk_watched_member"),
    )
    op.create_index("ix_watched_member_image_id", "watched_member", ["image_id"])
    op.create_table(
        "watch_event",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("watch_id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("relation", sa.String(length=32), nullable=True),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["watch_id"], ["watch.id"], name="fk_watch_event_watch_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_watch_event"),
        sa.UniqueConstraint("watch_id", "sha256", name="uq_watch_event_watch_id_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_watch_event_watch_id_id", "watch_event", ["watch_id", "id"])


def downgrade() -> None:
    """Back to the revision before: watches and what they found are lost."""
    op.drop_table("watch_event")
    op.drop_table("watched_member")
    op.drop_table("watch")
