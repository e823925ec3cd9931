"""How much there is in a picture to compare it by; null until measured.

Revision ID: 0012
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision: the next reindex measures what is null, from the thumbnails."""
    op.add_column("image", sa.Column("content", sa.SmallInteger(), nullable=True))


def downgrade() -> None:
    """Back to the revision before: the measures are lost, and can be taken again."""
    op.drop_column("image", "content")
