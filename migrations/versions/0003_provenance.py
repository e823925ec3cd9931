"""What files say about their own origin, one row a finding, and when each image's file was read for it.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
WORD = sa.String(32)


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "provenance",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("worth", WORD, nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("technique", WORD, nullable=False),
        sa.Column("made_with", sa.Text(), nullable=True),
        sa.Column("made_with_folded", sa.Text(), nullable=True),
        sa.Column("model_hash", sa.Text(), nullable=True),
        sa.Column("digital_source_type", sa.Text(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_provenance_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_provenance"),
        sqlite_autoincrement=True,
    )
    for column in ("made_with_folded", "model_hash", "digital_source_type"):
        op.create_index(f"ix_provenance_{column}_image_id", "provenance", [column, "image_id"], unique=False)
    op.create_index("ix_provenance_image_id", "provenance", ["image_id"], unique=False)
    op.add_column("image", sa.Column("provenance_read_at", TIME, nullable=True))


def downgrade() -> None:
    """Back to the revision before: the findings are lost; ingesting the files again reads them again."""
    op.drop_column("image", "provenance_read_at")
    op.drop_table("provenance")
