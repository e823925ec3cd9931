"""Local features of images, for finding the known fakes that contain a region.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "region_features",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("points", sa.LargeBinary(), nullable=False),
        sa.Column("descriptors", sa.LargeBinary(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_region_features_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_region_features"),
        sa.UniqueConstraint("image_id", name="uq_region_features_image_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Back to the revision before: the features are lost; `dejafake regions prepare` makes them anew."""
    op.drop_table("region_features")
