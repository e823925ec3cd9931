"""What happened to campaigns, what analysts decided about them, and where campaigns and members stand.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
WORD = sa.String(32)


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "campaign_decision",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("campaign_id", WORD, nullable=False),
        sa.Column("other_id", WORD, nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_before", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("undoes", ROW_ID, nullable=True),
        sa.Column("undone_by", ROW_ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_decision"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "campaign_decision_image",
        sa.Column("decision_id", ROW_ID, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("was_in", WORD, nullable=True),
        sa.Column("put_in", WORD, nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["campaign_decision.id"],
            name="fk_campaign_decision_image_decision_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("decision_id", "sha256", name="pk_campaign_decision_image"),
    )
    op.create_table(
        "campaign_event",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("campaign_id", WORD, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("other_id", WORD, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_before", sa.Text(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("run_id", ROW_ID, nullable=True),
        sa.Column("decision_id", ROW_ID, nullable=True),
        sa.Column("happened_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_event"),
        sqlite_autoincrement=True,
    )
    for table in ("campaign_decision", "campaign_event"):
        for column in ("campaign_id", "other_id"):
            op.create_index(f"ix_{table}_{column}_id", table, [column, "id"], unique=False)
    op.add_column("campaign", sa.Column("state", WORD, nullable=False, server_default="open"))
    op.add_column("campaign", sa.Column("confirmed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("campaign_member", sa.Column("state", WORD, nullable=False, server_default="suggested"))
    op.add_column("campaign_member", sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Back to the revision before: events and decisions are lost."""
    for table, columns in (("campaign_member", ("pinned", "state")), ("campaign", ("confirmed", "state"))):
        for column in columns:
            op.drop_column(table, column)
    op.drop_table("campaign_event")
    op.drop_table("campaign_decision_image")
    op.drop_table("campaign_decision")
