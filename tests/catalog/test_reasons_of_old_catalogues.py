"""A catalogue whose reasons and names were sentences keeps what can be read in them, forwards and back."""

import json
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from indexer.campaigns.reasons import reasons_words
from indexer.catalog import Catalog, schema
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.records.campaigns import Reason
from indexer.vocabulary import DecisionKind, ReasonKind
from tests.catalog.catalogue_rows import digest

OTHER = digest(2)
SENTENCES = {
    f"same picture, PDQ 12 (to {OTHER[:12]})": Reason(ReasonKind.SAME_PICTURE, OTHER, 12.0),
    f"same picture mirrored, PDQ 0 (to {OTHER[:12]})": Reason(ReasonKind.SAME_PICTURE, OTHER, 0.0, mirrored=True),
    f"same origin, cosine 0.99 (uncalibrated) (to {OTHER[:12]})": Reason(
        ReasonKind.SAME_ORIGIN, OTHER, 0.99, rounded=True
    ),
    f"same origin 0.93, calibrated 0.87 (to {OTHER[:12]})": Reason(
        ReasonKind.SAME_ORIGIN, OTHER, 0.93, 0.87, rounded=True
    ),
    f"same model, seed and prompt by what the files say (to {OTHER[:12]})": Reason(ReasonKind.SAME_RECIPE, OTHER),
    "kept here by an analyst's decision 7 (confirm member)": Reason(
        ReasonKind.DECIDED, decision=7, decision_kind=DecisionKind.CONFIRM_MEMBER
    ),
    "put back by an analyst's decision 8 (undo)": Reason(
        ReasonKind.DECIDED, decision=8, decision_kind=DecisionKind.UNDO
    ),
    "joined when it was ingested; the next clustering run decides": Reason(ReasonKind.JOINED),
    "joined as nearest neighbour after the clustering": Reason(ReasonKind.PLACED),
    "a sentence \u2013 of somebody else (to abcdef)": Reason(
        ReasonKind.AS_WRITTEN, text="a sentence \u2013 of somebody else (to abcdef)"
    ),
}
GONE = f"same picture, PDQ 3 (to {digest(9)[:12]})"
"""It names an image that is not in the catalogue any more."""
NAMES = {
    "cmp_auto": "Campaign of 3 images, first seen 2026-01-02",
    "cmp_given": "Teapot",
    "cmp_looks_automatic": "Campaign of 2 images",
}
AT = "2026-01-02 00:00:00.000000"


def before(connection: Connection) -> str:
    """The revision before the one that reads the sentences."""
    scripts = ScriptDirectory.from_config(schema.alembic_config(connection))
    return str(scripts.get_revision("0011").down_revision)


def insert(connection: Connection, table: str, **values: Any) -> None:
    columns = ", ".join(values)
    given = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({given})"), values)


def old_catalogue(connection: Connection) -> None:
    """Three campaigns as they were kept before reasons had rows; a person named two."""
    command.upgrade(schema.alembic_config(connection), before(connection))
    for number in (1, 2):
        insert(
            connection, "image", id=number, sha256=digest(number), byte_size=9, format="PNG", width=4, height=4,
            mode="RGB", frames=1, notes="[]", pdq=b"", pdq_quality=90, pdq_method="test", added_at=AT, label="fake",
            technique="unknown", disputed=False,
        )  # fmt: skip
    for name, called in NAMES.items():
        insert(
            connection, "campaign", id=name, name=called, size=2, cohesion=0.5, first_seen=AT, platforms="[]",
            created_at=AT, updated_at=AT,
        )  # fmt: skip
    member = {"campaign_id": "cmp_auto", "exemplar": True, "strength": 0.5}
    told = json.dumps([GONE, *SENTENCES])
    insert(connection, "campaign_member", image_id=1, rank=0, reasons=told, **member)
    insert(connection, "campaign_member", image_id=2, rank=1, reasons="[]", **member)
    renamed = {"kind": "rename", "campaign_id": "cmp_looks_automatic", "decided_by": "ana", "decided_at": AT}
    insert(connection, "campaign_decision", id=1, name="Campaign of 2 images", name_before="Teacup", **renamed)
    happened = {"campaign_id": "cmp_given", "size": 2, "added": 0, "removed": 0, "happened_at": AT}
    insert(connection, "campaign_event", id=1, kind="born", name="Campaign of 2 images", **happened)
    insert(
        connection, "campaign_event", id=2, kind="renamed", name="Teapot",
        name_before="Campaign of 2 images, first seen 2026-01-02", **happened,
    )  # fmt: skip


@pytest.fixture
def upgraded(database_url: str) -> str:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        old_catalogue(connection)
    engine.dispose()
    Catalog.open(database_url).close()
    return database_url


def test_sentences_become_kinds_and_numbers_and_are_told_as_before(upgraded: str) -> None:
    with Catalog.open(upgraded) as catalog, catalog.reading() as session:
        first, second = campaigns.members(session, "cmp_auto", 10).items
        assert first.reasons == tuple(SENTENCES.values())
        assert reasons_words(first.reasons) == tuple(SENTENCES)
        assert second.reasons == ()


def test_whether_a_person_gave_a_name_is_kept_also_where_it_looks_automatic(upgraded: str) -> None:
    with Catalog.open(upgraded) as catalog, catalog.reading() as session:
        found = {one.id: (one.named, one.name) for one in campaigns.page(session, 10).items}
        assert found == {
            "cmp_auto": (False, "Campaign of 2 images, first seen 2026-01-02"),
            "cmp_given": (True, "Teapot"),
            "cmp_looks_automatic": (True, "Campaign of 2 images"),
        }
        renamed, born = campaign_events.page(session, 10, campaign="cmp_given").items
        assert (born.named, born.name, born.name_before) == (False, "Campaign of 2 images", None)
        assert (renamed.name, renamed.name_before) == ("Teapot", "Campaign of 2 images, first seen 2026-01-02")


def test_the_way_back_tells_the_same_sentences(upgraded: str) -> None:
    engine = create_engine(upgraded)
    with engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), before(connection))
        (told,) = connection.execute(text("SELECT reasons FROM campaign_member WHERE image_id = 1")).scalars()
        assert json.loads(told) == list(SENTENCES)
        names = {row.id: row.name for row in connection.execute(text("SELECT id, name FROM campaign"))}
        assert names == NAMES | {"cmp_auto": "Campaign of 2 images, first seen 2026-01-02"}
        events = connection.execute(text("SELECT name, name_before FROM campaign_event ORDER BY id")).all()
        assert [tuple(row) for row in events] == [
            ("Campaign of 2 images", None),
            ("Teapot", "Campaign of 2 images, first seen 2026-01-02"),
        ]
    engine.dispose()
