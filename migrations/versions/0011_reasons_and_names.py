"""Reasons of members as kinds and numbers, names that people gave, images that await a campaign, files to remove.

Revision ID: 0011
Revises: 0013
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0013"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
WORD = sa.String(32)
AT_ONCE = 2_000

OTHER = r"(?: \(to (?P<other>[0-9a-f]{12})\))?"
SAME_PICTURE = re.compile(rf"same picture(?P<mirrored> mirrored)?, PDQ (?P<value>\d+){OTHER}")
CALIBRATED = re.compile(rf"same origin (?P<value>-?\d+\.\d+), calibrated (?P<probability>\d+\.\d+){OTHER}")
UNCALIBRATED = re.compile(rf"same origin, cosine (?P<value>-?\d+\.\d+) \(uncalibrated\){OTHER}")
SAME_RECIPE = re.compile(rf"same model, seed and prompt by what the files say{OTHER}")
DECIDED = re.compile(r"(?:kept here|put back) by an analyst's decision (?P<decision>\d+) \((?P<decided>[a-z ]+)\)")
JOINED = "joined when it was ingested; the next clustering run decides"
PLACED = "joined as nearest neighbour after the clustering"
AUTOMATIC = re.compile(r"Campaign of \d[\d,]* images?(?:, first seen (?P<seen>\d{4,}-\d\d-\d\d))?")

CAMPAIGN = sa.table(
    "campaign",
    sa.column("id", WORD),
    sa.column("name", sa.Text()),
    sa.column("given_name", sa.Text()),
    sa.column("size", sa.Integer()),
    sa.column("first_seen", TIME),
)
DECISION = sa.table(
    "campaign_decision",
    sa.column("id", ROW_ID),
    sa.column("kind", WORD),
    sa.column("campaign_id", WORD),
    sa.column("other_id", WORD),
    sa.column("name", sa.Text()),
    sa.column("name_before", sa.Text()),
    sa.column("named_before", sa.Boolean()),
    sa.column("undone_by", ROW_ID),
)
EVENT = sa.table(
    "campaign_event",
    sa.column("id", ROW_ID),
    sa.column("kind", WORD),
    sa.column("name", sa.Text()),
    sa.column("name_before", sa.Text()),
    sa.column("given_name", sa.Text()),
    sa.column("given_name_before", sa.Text()),
    sa.column("size", sa.Integer()),
    sa.column("first_seen", TIME),
)
MEMBER = sa.table(
    "campaign_member",
    sa.column("campaign_id", WORD),
    sa.column("image_id", ROW_ID),
    sa.column("reasons", sa.Text()),
)
IMAGE = sa.table("image", sa.column("id", ROW_ID), sa.column("sha256", sa.String(64)))
REASON = sa.table(
    "campaign_reason",
    sa.column("campaign_id", WORD),
    sa.column("image_id", ROW_ID),
    sa.column("position", sa.SmallInteger()),
    sa.column("kind", WORD),
    sa.column("other_id", ROW_ID),
    sa.column("value", sa.Double()),
    sa.column("probability", sa.Double()),
    sa.column("mirrored", sa.Boolean()),
    sa.column("rounded", sa.Boolean()),
    sa.column("decision_id", ROW_ID),
    sa.column("decision_kind", WORD),
    sa.column("text", sa.Text()),
)


def upgrade() -> None:
    """To this revision: sentences become kinds and numbers, as far as they can be read."""
    _make_tables()
    op.add_column("image", sa.Column("original_kept", sa.Boolean(), nullable=True))
    op.add_column("campaign", sa.Column("given_name", sa.Text(), nullable=True))
    op.add_column("campaign_event", sa.Column("given_name", sa.Text(), nullable=True))
    op.add_column("campaign_event", sa.Column("given_name_before", sa.Text(), nullable=True))
    op.add_column("campaign_event", sa.Column("first_seen", TIME, nullable=True))
    op.add_column(
        "campaign_decision", sa.Column("named_before", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _read_names()
    _read_reasons()
    op.drop_column("campaign", "name")
    op.drop_column("campaign_event", "name")
    op.drop_column("campaign_event", "name_before")
    op.drop_column("campaign_member", "reasons")


def downgrade() -> None:
    """Back to the revision before: sentences again; what awaits a campaign or a removal is forgotten."""
    op.add_column("campaign", sa.Column("name", sa.Text(), nullable=False, server_default=""))
    op.add_column("campaign_event", sa.Column("name", sa.Text(), nullable=False, server_default=""))
    op.add_column("campaign_event", sa.Column("name_before", sa.Text(), nullable=True))
    op.add_column("campaign_member", sa.Column("reasons", sa.Text(), nullable=False, server_default="[]"))
    _write_names()
    _write_reasons()
    op.drop_column("campaign_decision", "named_before")
    for column in ("first_seen", "given_name_before", "given_name"):
        op.drop_column("campaign_event", column)
    op.drop_column("campaign", "given_name")
    op.drop_column("image", "original_kept")
    for table in ("file_removal", "awaiting_campaign", "campaign_reason"):
        op.drop_table(table)


def _make_tables() -> None:
    op.create_table(
        "campaign_reason",
        sa.Column("campaign_id", WORD, nullable=False),
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("other_id", ROW_ID, nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("mirrored", sa.Boolean(), nullable=False),
        sa.Column("rounded", sa.Boolean(), nullable=False),
        sa.Column("decision_id", ROW_ID, nullable=True),
        sa.Column("decision_kind", WORD, nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id", "image_id"],
            ["campaign_member.campaign_id", "campaign_member.image_id"],
            name="fk_campaign_reason_campaign_id",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["other_id"], ["image.id"], name="fk_campaign_reason_other_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("campaign_id", "image_id", "position", name="pk_campaign_reason"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_campaign_reason_other_id", "campaign_reason", ["other_id"], unique=False)
    op.create_table(
        "awaiting_campaign",
        sa.Column("image_id", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_awaiting_campaign_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("image_id", name="pk_awaiting_campaign"),
    )
    op.create_table(
        "file_removal",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_file_removal"),
    )


def _read_names() -> None:
    bind = op.get_bind()
    naming = sa.select(DECISION.c.campaign_id, DECISION.c.other_id, DECISION.c.kind, DECISION.c.name).where(
        DECISION.c.kind.in_(("rename", "split")), DECISION.c.undone_by.is_(None), DECISION.c.name.is_not(None)
    )
    given = {(row.other_id if row.kind == "split" else row.campaign_id, row.name) for row in bind.execute(naming)}
    for row in bind.execute(sa.select(CAMPAIGN.c.id, CAMPAIGN.c.name)).all():
        if (row.id, row.name) in given or not AUTOMATIC.fullmatch(row.name):
            bind.execute(sa.update(CAMPAIGN).where(CAMPAIGN.c.id == row.id).values(given_name=row.name))
    renames = sa.select(DECISION.c.id, DECISION.c.name_before).where(
        DECISION.c.kind == "rename", DECISION.c.name_before.is_not(None)
    )
    for row in bind.execute(renames).all():
        if not AUTOMATIC.fullmatch(row.name_before):
            bind.execute(sa.update(DECISION).where(DECISION.c.id == row.id).values(named_before=True))
    for rows in _pages(EVENT, EVENT.c.id, EVENT.c.name, EVENT.c.name_before):
        for row in rows:
            bind.execute(sa.update(EVENT).where(EVENT.c.id == row.id).values(**_names_of(row)))


def _names_of(event: sa.Row[Any]) -> Mapping[str, Any]:
    """What an event keeps of the names it was shown with."""
    automatic = AUTOMATIC.fullmatch(event.name)
    before = None if event.name_before is None else AUTOMATIC.fullmatch(event.name_before)
    seen = next((found["seen"] for found in (automatic, before) if found is not None and found["seen"]), None)
    return {
        "given_name": None if automatic else event.name,
        "given_name_before": None if before else event.name_before,
        "first_seen": None if seen is None else datetime.fromisoformat(seen).replace(tzinfo=UTC),
    }


def _read_reasons() -> None:
    bind = op.get_bind()
    for members in _members(MEMBER.c.reasons):
        rows = []
        for member in members:
            read = (_reason(text) for text in json.loads(member.reasons))
            position = 0
            for reason in read:
                other = reason.pop("other", None)
                reason["other_id"] = None if other is None else _image(other)
                if other is not None and reason["other_id"] is None:
                    continue  # it names an image that was deleted
                place = {"campaign_id": member.campaign_id, "image_id": member.image_id, "position": position}
                rows.append({column.name: None for column in REASON.columns} | _UNMARKED | reason | place)
                position += 1
        if rows:
            bind.execute(sa.insert(REASON), rows)


_UNMARKED = {"mirrored": False, "rounded": False}


def _reason(text: str) -> dict[str, Any]:
    """A sentence as kind and numbers, `other` the first digits of the image it names."""
    if text == JOINED:
        return {"kind": "joined"}
    if text == PLACED:
        return {"kind": "placed"}
    if found := SAME_PICTURE.fullmatch(text):
        mirrored = found["mirrored"] is not None
        return {"kind": "same_picture", "other": found["other"], "value": float(found["value"]), "mirrored": mirrored}
    if found := CALIBRATED.fullmatch(text):
        value, probability = float(found["value"]), float(found["probability"])
        measured = {"value": value, "probability": probability, "rounded": True}
        return {"kind": "same_origin", "other": found["other"], **measured}
    if found := UNCALIBRATED.fullmatch(text):
        return {"kind": "same_origin", "other": found["other"], "value": float(found["value"]), "rounded": True}
    if found := SAME_RECIPE.fullmatch(text):
        return {"kind": "same_recipe", "other": found["other"]}
    if found := DECIDED.fullmatch(text):
        kind = found["decided"].replace(" ", "_")
        return {"kind": "decided", "decision_id": int(found["decision"]), "decision_kind": kind}
    return {"kind": "as_written", "text": text}


def _image(digits: str) -> int | None:
    """The one image whose SHA-256 starts with these digits."""
    prefix = (IMAGE.c.sha256 >= digits, IMAGE.c.sha256 < f"{digits}g")
    found = op.get_bind().execute(sa.select(IMAGE.c.id).where(*prefix).limit(2)).scalars().all()
    return found[0] if len(found) == 1 else None


def _write_names() -> None:
    bind = op.get_bind()
    campaigns = sa.select(CAMPAIGN.c.id, CAMPAIGN.c.given_name, CAMPAIGN.c.size, CAMPAIGN.c.first_seen)
    for row in bind.execute(campaigns).all():
        bind.execute(sa.update(CAMPAIGN).where(CAMPAIGN.c.id == row.id).values(name=_name(row.given_name, row)))
    columns = (EVENT.c.id, EVENT.c.kind, EVENT.c.given_name, EVENT.c.given_name_before, EVENT.c.size)
    for rows in _pages(EVENT, *columns, EVENT.c.first_seen):
        for row in rows:
            before = _name(row.given_name_before, row) if row.kind == "renamed" else None
            names = {"name": _name(row.given_name, row), "name_before": before}
            bind.execute(sa.update(EVENT).where(EVENT.c.id == row.id).values(**names))


def _name(given: str | None, row: sa.Row[Any]) -> str:
    if given is not None:
        return given
    since = "" if row.first_seen is None else f", first seen {row.first_seen.date().isoformat()}"
    return f"Campaign of {row.size:,} images{since}"


def _write_reasons() -> None:
    bind = op.get_bind()
    for members in _members():
        first, last = members[0], members[-1]
        rows = bind.execute(
            sa.select(REASON, IMAGE.c.sha256)
            .outerjoin(IMAGE, IMAGE.c.id == REASON.c.other_id)
            .where(_after_or_at(REASON, first), ~_after(REASON, last))
            .order_by(REASON.c.campaign_id, REASON.c.image_id, REASON.c.position)
        )
        told: dict[tuple[str, int], list[str]] = {}
        for row in rows:
            told.setdefault((row.campaign_id, row.image_id), []).append(_sentence(row))
        for (campaign, image), sentences in told.items():
            here = (MEMBER.c.campaign_id == campaign, MEMBER.c.image_id == image)
            bind.execute(sa.update(MEMBER).where(*here).values(reasons=json.dumps(sentences, separators=(",", ":"))))


def _sentence(row: sa.Row[Any]) -> str:
    other = "" if row.sha256 is None else f" (to {row.sha256[:12]})"
    if row.kind == "same_picture":
        return f"same picture{' mirrored' if row.mirrored else ''}, PDQ {row.value:.0f}{other}"
    if row.kind == "same_origin":
        cut = int(row.value * 100 + 1e-9) / 100
        if row.probability is not None:
            return f"same origin {cut:.2f}, calibrated {row.probability:.2f}{other}"
        return f"same origin, cosine {cut:.2f} (uncalibrated){other}"
    if row.kind == "same_recipe":
        return f"same model, seed and prompt by what the files say{other}"
    if row.kind == "decided":
        done = "put back" if row.decision_kind == "undo" else "kept here"
        return f"{done} by an analyst's decision {row.decision_id} ({row.decision_kind.replace('_', ' ')})"
    return {"joined": JOINED, "placed": PLACED}.get(row.kind, row.text or "")


def _pages(table: sa.TableClause, *columns: sa.ColumnClause[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    after = 0
    while True:
        page = sa.select(*columns).where(table.c.id > after).order_by(table.c.id).limit(AT_ONCE)
        rows = op.get_bind().execute(page).all()
        if not rows:
            return
        yield rows
        after = rows[-1].id


def _members(*columns: sa.ColumnClause[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    last: sa.Row[Any] | None = None
    while True:
        page = sa.select(MEMBER.c.campaign_id, MEMBER.c.image_id, *columns)
        if last is not None:
            page = page.where(_after(MEMBER, last))
        rows = op.get_bind().execute(page.order_by(MEMBER.c.campaign_id, MEMBER.c.image_id).limit(AT_ONCE)).all()
        if not rows:
            return
        yield rows
        last = rows[-1]


def _after(table: sa.TableClause, row: sa.Row[Any]) -> sa.ColumnElement[bool]:
    same = (table.c.campaign_id == row.campaign_id) & (table.c.image_id > row.image_id)
    return (table.c.campaign_id > row.campaign_id) | same


def _after_or_at(table: sa.TableClause, row: sa.Row[Any]) -> sa.ColumnElement[bool]:
    return _after(table, row) | ((table.c.campaign_id == row.campaign_id) & (table.c.image_id == row.image_id))
