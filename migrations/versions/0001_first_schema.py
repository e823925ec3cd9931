"""The first schema: images, labels, sightings, collections, detectors, embeddings, campaigns.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
WORD = sa.String(32)


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "campaign",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("cohesion", sa.Double(), nullable=False),
        sa.Column("first_seen", TIME, nullable=True),
        sa.Column("last_seen", TIME, nullable=True),
        sa.Column("platforms", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
    )
    op.create_index("ix_campaign_size_id", "campaign", ["size", "id"], unique=False)
    op.create_table(
        "change",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change"),
    )
    op.create_table(
        "clustering_run",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("campaigns", sa.Integer(), nullable=False),
        sa.Column("noise", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clustering_run"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "collection",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_collection"),
        sa.UniqueConstraint("name", name="uq_collection_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "detector",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("trained", sa.Boolean(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_detector"),
        sa.UniqueConstraint("fingerprint", name="uq_detector_fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "image",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("byte_size", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("pdq", sa.LargeBinary(), nullable=False),
        sa.Column("pdq_quality", sa.SmallInteger(), nullable=False),
        sa.Column("pdq_method", sa.Text(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("label", WORD, nullable=False),
        sa.Column("technique", WORD, nullable=False),
        sa.Column("generator", sa.Text(), nullable=True),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("label_source_kind", WORD, nullable=True),
        sa.Column("label_source", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_image"),
        sa.UniqueConstraint("sha256", name="uq_image_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_image_generator_id", "image", ["generator", "id"], unique=False)
    op.create_index("ix_image_label_generator_id", "image", ["label", "generator", "id"], unique=False)
    op.create_index("ix_image_label_id", "image", ["label", "id"], unique=False)
    op.create_index(
        "ix_image_label_technique_generator_id", "image", ["label", "technique", "generator", "id"], unique=False
    )
    op.create_index("ix_image_label_technique_id", "image", ["label", "technique", "id"], unique=False)
    op.create_index("ix_image_technique_generator_id", "image", ["technique", "generator", "id"], unique=False)
    op.create_index("ix_image_technique_id", "image", ["technique", "id"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("deleted_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tombstone"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tombstone_sha256", "tombstone", ["sha256"], unique=False)
    op.create_table(
        "campaign_member",
        sa.Column("campaign_id", sa.String(length=32), nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("strength", sa.Double(), nullable=False),
        sa.Column("exemplar", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="fk_campaign_member_campaign_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_campaign_member_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("campaign_id", "image_id", name="pk_campaign_member"),
    )
    op.create_index("ix_campaign_member_campaign_id_rank", "campaign_member", ["campaign_id", "rank"], unique=False)
    op.create_index("ix_campaign_member_image_id", "campaign_member", ["image_id"], unique=False)
    op.create_table(
        "collection_image",
        sa.Column("collection_id", ROW_ID, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name="fk_collection_image_collection_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_collection_image_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("collection_id", "image_id", name="pk_collection_image"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_collection_image_image_id", "collection_image", ["image_id"], unique=False)
    op.create_table(
        "embedding",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("detector_id", ROW_ID, nullable=False),
        sa.Column("logits", sa.Text(), nullable=False),
        sa.Column("p_fake", sa.Double(), nullable=True),
        sa.Column("detected_at", TIME, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["detector_id"], ["detector.id"], name="fk_embedding_detector_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_embedding_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_embedding"),
        sa.UniqueConstraint("image_id", "detector_id", name="uq_embedding_image_id_detector_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_embedding_detector_id_id", "embedding", ["detector_id", "id"], unique=False)
    op.create_table(
        "label",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("value", WORD, nullable=False),
        sa.Column("technique", WORD, nullable=False),
        sa.Column("generator", sa.Text(), nullable=True),
        sa.Column("source_kind", WORD, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("stated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_label_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_label"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_label_image_id", "label", ["image_id"], unique=False)
    op.create_table(
        "sighting",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("archive_url", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("posted_at", TIME, nullable=True),
        sa.Column("posted_month", sa.Integer(), nullable=True),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_sighting_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sighting"),
        sa.UniqueConstraint("image_id", "digest", name="uq_sighting_image_id_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_sighting_platform_image_id_posted_at", "sighting", ["platform", "image_id", "posted_at"], unique=False
    )
    op.create_index(
        "ix_sighting_platform_posted_month_image_id_posted_at",
        "sighting",
        ["platform", "posted_month", "image_id", "posted_at"],
        unique=False,
    )
    op.create_index(
        "ix_sighting_posted_month_image_id_posted_at",
        "sighting",
        ["posted_month", "image_id", "posted_at"],
        unique=False,
    )
    op.create_table(
        "source_record",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_source_record_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_source_record"),
        sa.UniqueConstraint("image_id", "digest", name="uq_source_record_image_id_digest"),
        sqlite_autoincrement=True,
    )

    op.execute("INSERT INTO change (id, value) VALUES (1, 0)")


def downgrade() -> None:
    """Back to an empty database."""
    op.drop_table("source_record")
    op.drop_table("sighting")
    op.drop_table("label")
    op.drop_table("embedding")
    op.drop_table("collection_image")
    op.drop_table("campaign_member")
    op.drop_table("tombstone")
    op.drop_table("image")
    op.drop_table("detector")
    op.drop_table("collection")
    op.drop_table("clustering_run")
    op.drop_table("change")
    op.drop_table("campaign")
