"""The review queue keeps what people decided about what waited, and who is to look at what.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IN_FORCE = sa.text("undone_at IS NULL")


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "review_decision",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("choice", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("campaign_decision", sa.BigInteger(), nullable=True),
        sa.Column("labelled", sa.Boolean(), nullable=False),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_review_decision"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_review_decision_in_force",
        "review_decision",
        ["sha256", "kind", "subject"],
        unique=True,
        sqlite_where=IN_FORCE,
        postgresql_where=IN_FORCE,
    )
    op.create_table(
        "review_assignment",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("assigned_by", sa.Text(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "kind", "subject", name="pk_review_assignment"),
    )
    op.create_index("ix_review_assignment_person", "review_assignment", ["person"])


def downgrade() -> None:
    """Back to the revision before: what was decided in the queue alone is lost."""
    op.drop_table("review_assignment")
    op.drop_table("review_decision")
