"""What the catalogue's facets are counted and filtered by: the account of a sighting, the source of a label, disputed
labels, undecided campaign members, and the state of C2PA manifests, which moves from a finding's JSON to a column.

Revision ID: 0024
Revises: 0023
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

STATES = ("trusted", "valid", "invalid")
AT_ONCE = 1_000
INDEXES = (
    ("sighting", "account", "image_id", "posted_at"),
    ("image", "label_source", "id"),
    ("image", "disputed", "id"),
    ("campaign_member", "state", "image_id"),
    ("provenance", "c2pa_state", "image_id"),
)
MANIFESTS = "SELECT id, fields FROM provenance WHERE id > :after AND kind = 'content_credentials'"


def upgrade() -> None:
    """To this revision."""
    op.add_column("provenance", sa.Column("c2pa_state", sa.String(32), nullable=True))
    page, after = sa.text(f"{MANIFESTS} ORDER BY id LIMIT {AT_ONCE}"), 0
    said = sa.text("UPDATE provenance SET c2pa_state = :state WHERE id = :id")
    while rows := op.get_bind().execute(page, {"after": after}).all():
        after = rows[-1].id
        for number, fields in rows:
            state = json.loads(fields).get("credentials", {}).get("validation_state")
            if state in STATES:
                op.get_bind().execute(said, {"state": state, "id": number})
    for table, *columns in INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)


def downgrade() -> None:
    """Back to the revision before; nothing is lost, the findings say it all."""
    for table, *columns in INDEXES:
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)
    op.drop_column("provenance", "c2pa_state")
