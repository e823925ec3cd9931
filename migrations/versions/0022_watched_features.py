"""Watches keep the local features of the watched picture, so that altered copies of it are found.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision: watches that are there already keep none."""
    op.add_column("watch", sa.Column("features", sa.LargeBinary(), nullable=True))
    op.add_column("watch", sa.Column("features_fingerprint", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Back to the revision before."""
    with op.batch_alter_table("watch") as batch:
        batch.drop_column("features_fingerprint")
        batch.drop_column("features")
