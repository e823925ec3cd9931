"""Embeddings by copy descriptors, and packed local features, of images.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision: `dejafake copies prepare` fills the tables for images that are there already."""
    op.create_table(
        "copy_descriptor",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_copy_descriptor"),
        sa.UniqueConstraint("fingerprint", name="uq_copy_descriptor_fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "copy_embedding",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("descriptor_id", ROW_ID, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_copy_embedding_image_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["descriptor_id"], ["copy_descriptor.id"], name="fk_copy_embedding_descriptor_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_copy_embedding"),
        sa.UniqueConstraint("image_id", "descriptor_id", name="uq_copy_embedding_image_id_descriptor_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_copy_embedding_descriptor_id_id", "copy_embedding", ["descriptor_id", "id"])
    op.create_table(
        "local_features",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_local_features_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_local_features"),
        sa.UniqueConstraint("image_id", name="uq_local_features_image_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_local_features_fingerprint_id", "local_features", ["fingerprint", "id"])


def downgrade() -> None:
    """Back to the revision before: `dejafake copies prepare` takes what is lost anew."""
    op.drop_table("local_features")
    op.drop_table("copy_embedding")
    op.drop_table("copy_descriptor")
