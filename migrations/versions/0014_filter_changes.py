"""A second change counter: of the writes that can change what a filter selects.

Revision ID: 0014
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.add_column("change", sa.Column("filters", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE change SET filters = value")


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_column("change", "filters")
