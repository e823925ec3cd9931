"""The local features that older versions took of known fakes go: `local_features` holds new ones of every image, which
`dejafake copies prepare` takes of the same files. The old ones cannot be converted: they have neither sizes nor
directions, which verification needs.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    op.drop_table("region_features")


def downgrade() -> None:
    """Back to the revision before: its `dejafake regions prepare` takes the features anew."""
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
