"""How each PDQ hash was taken, as a word, and when it was last changed, so that hash stores can follow.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_METHOD = sa.table("image", sa.column("pdq_method", sa.Text()))


def upgrade() -> None:
    """To this revision: every hash so far was taken of a copy of 512 x 512; `dejafake hashes rebuild` renews them."""
    op.execute(sa.update(_METHOD).values(pdq_method="bilinear_512"))
    op.add_column("image", sa.Column("pdq_changed", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_image_pdq_changed", "image", ["pdq_changed"])


def downgrade() -> None:
    """Back to the revision before. Hashes that were renewed stay as they are, and say so."""
    op.drop_index("ix_image_pdq_changed", "image")
    op.drop_column("image", "pdq_changed")
