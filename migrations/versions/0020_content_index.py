"""Known fakes with enough in them to be compared are found in an index: every search asks for them.

Revision ID: 0020
Revises: 0011
"""

from alembic import op

revision = "0020"
down_revision = "0011"
branch_labels = None
depends_on = None

_NAME, _COLUMNS = "ix_image_label_content_pdq_quality_id", ["label", "content", "pdq_quality", "id"]


def upgrade() -> None:
    """To this revision."""
    op.create_index(_NAME, "image", _COLUMNS)


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_index(_NAME, "image")
