"""Hash lists of others: known fakes of which no picture is held.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "hash_list",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=32), nullable=False),
        sa.Column("hashes", sa.BigInteger(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hash_list"),
        sa.UniqueConstraint("name", name="uq_hash_list_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "listed_hash",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("list_id", ROW_ID, nullable=False),
        sa.Column("algorithm", sa.String(length=32), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["hash_list.id"], name="fk_listed_hash_list_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_listed_hash"),
        sa.UniqueConstraint("list_id", "algorithm", "value", name="uq_listed_hash_list_id_algorithm_value"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_listed_hash_algorithm_value", "listed_hash", ["algorithm", "value"])
    op.create_index("ix_listed_hash_algorithm_id", "listed_hash", ["algorithm", "id"])


def downgrade() -> None:
    """Back to the revision before: the lists are lost."""
    op.drop_table("listed_hash")
    op.drop_table("hash_list")
