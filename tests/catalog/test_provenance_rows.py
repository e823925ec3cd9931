"""What files say about their own origin: kept with the image, replaced as a whole, found again from an index."""

import re
from collections.abc import Iterator
from itertools import product

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from indexer.catalog import Catalog
from indexer.catalog.images import images, labels, newest, provenance
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.catalog.tables.provenance import DeclaredTechniqueRow, ProvenanceRow
from indexer.vocabulary import EvidenceKind, ProvenanceKind, Technique
from tests.catalog.catalogue_rows import AUTHENTIC, FAKE, add_image, digest, said

PROMPT = "a mayor with a \"quote\", a '\n' and 🙈"


def generated(
    tool: str = "ComfyUI", model_hash: str | None = "6ce0161689", besides: tuple[Technique, ...] = ()
) -> ProvenanceFinding:
    return ProvenanceFinding(
        kind=ProvenanceKind.GENERATION,
        worth=EvidenceKind.SELF_DECLARED,
        statement=f"The PNG text says that {tool} made the picture.",
        technique=Technique.INPAINTING,
        made_with=tool,
        model_hash=model_hash,
        fields={
            "generation": {
                "prompt": PROMPT,
                "seed": "18446744073709551615",
                "loras": [{"name": "mayor"}],
                "techniques": [Technique.INPAINTING.value, *(one.value for one in besides)],
            }
        },
    )


def declared(code: str) -> ProvenanceFinding:
    return ProvenanceFinding(
        kind=ProvenanceKind.DECLARATION,
        worth=EvidenceKind.SELF_DECLARED,
        statement="The XMP packet declares something.",
        digital_source_type=code,
    )


def told(session: Session, number: int) -> tuple[ProvenanceFinding, ...]:
    details = images.get(session, digest(number))
    assert details is not None
    return details.provenance


def test_findings_come_back_as_they_were_read_in_their_order(catalog: Catalog) -> None:
    findings = (generated(), declared("trainedAlgorithmicMedia"))
    with catalog.writing() as session:
        provenance.record(session, add_image(session, 1), findings)
        add_image(session, 2)
    with catalog.reading() as session:
        assert told(session, 1) == findings
        assert told(session, 2) == ()


def test_reading_a_file_again_takes_the_place_of_what_was_read_before(catalog: Catalog) -> None:
    with catalog.writing() as session:
        image_id = add_image(session, 1)
        provenance.record(session, image_id, [generated(), declared("print")])
        provenance.record(session, image_id, [declared("print")])
    with catalog.reading() as session:
        assert told(session, 1) == (declared("print"),)


def test_a_file_that_says_nothing_is_told_from_one_nobody_looked_at(catalog: Catalog) -> None:
    with catalog.writing() as session:
        ids = [add_image(session, number) for number in (1, 2)]
        provenance.record(session, ids[0], ())
        assert provenance.unread(session, ids) == {ids[1]}
    with catalog.reading() as session:
        looked, not_looked = images.get(session, digest(1)), images.get(session, digest(2))
    assert looked is not None
    assert looked.provenance_read_at is not None
    assert looked.provenance_read_at.utcoffset().total_seconds() == 0
    assert not_looked is not None
    assert not_looked.provenance_read_at is None


def test_what_a_file_says_is_no_label(catalog: Catalog) -> None:
    with catalog.writing() as session:
        provenance.record(session, add_image(session, 1), [generated()])
    with catalog.reading() as session:
        details = images.get(session, digest(1))
    assert details is not None
    assert details.image.label == labels.UNLABELLED


def test_texts_no_database_stores_and_names_without_end_are_kept_as_far_as_they_go(catalog: Catalog) -> None:
    hostile = ProvenanceFinding(
        kind=ProvenanceKind.SOFTWARE,
        worth=EvidenceKind.SELF_DECLARED,
        statement="a \0 b",
        made_with="x" * 500 + "\ud800",
        model_hash="A" * 500,
        fields={"so\0ftware": ["\ud800", {"deep": "\0"}]},
    )
    with catalog.writing() as session:
        provenance.record(session, add_image(session, 1), [hostile])
    with catalog.reading() as session:
        (kept,) = told(session, 1)
    assert (kept.statement, kept.made_with, kept.model_hash) == ("a \ufffd b", "x" * 200, "a" * 200)
    assert kept.fields == {"so\ufffdftware": ["\ufffd", {"deep": "\ufffd"}]}


def test_findings_go_with_their_image(catalog: Catalog) -> None:
    with catalog.writing() as session:
        provenance.record(session, add_image(session, 1), [generated()])
        assert images.delete(session, digest(1), "asked for")
        assert session.scalars(select(ProvenanceRow)).all() == []
        assert session.scalars(select(DeclaredTechniqueRow)).all() == []


def test_an_image_is_found_by_each_technique_its_file_declares_and_not_by_what_it_no_longer_does(
    catalog: Catalog,
) -> None:
    finetuned, swapped = Technique.FINE_TUNED_MODEL, Technique.FACE_SWAP
    with catalog.writing() as session:
        image_id = add_image(session, 1)
        provenance.record(session, image_id, [generated(besides=(finetuned,)), generated("Fooocus")])
        assert found_by(session) == {Technique.INPAINTING, finetuned}
        assert images.page(session, ImageFilter(technique=finetuned), limit=5).items == (), "it is no label"
        provenance.record(session, image_id, [generated(besides=(swapped,))])
        assert found_by(session) == {Technique.INPAINTING, swapped}


def found_by(session: Session) -> set[Technique]:
    return {one for one in Technique if images.page(session, ImageFilter(declared_technique=one), limit=5).items}


Given = tuple[str, str | None, str, bool, bool]


def fill(session: Session) -> dict[int, Given]:
    """Images with two findings each; by number the tool, model hash, source type, whether they are fake, and whether
    their file declares a fine-tuned model."""
    given = {}
    for number in range(1, 31):
        tool = ("ComfyUI", "Adobe Photoshop", "Fooocus")[number % 3]
        model_hash = ("6ce0161689", None)[number % 2]
        code = ("trainedAlgorithmicMedia", "digitalCapture")[number % 5 == 0]
        image_id = add_image(session, number)
        labels.state(session, image_id, [said(FAKE if number % 4 else AUTHENTIC)])
        besides = (Technique.FINE_TUNED_MODEL,) if number % 7 < 3 else ()
        provenance.record(session, image_id, [generated(tool, model_hash, besides), declared(code), declared(code)])
        given[number] = (tool, model_hash, code, bool(number % 4), bool(besides))
    return given


def filters() -> Iterator[ImageFilter]:
    for label, model_hash, made_with, code, technique in product(
        (None, FAKE),
        (None, " 6CE0161689"),
        (None, "comfyui", "ADOBE photoshop ", "unheard of"),
        (None, "trainedAlgorithmicMedia"),
        (None, Technique.FINE_TUNED_MODEL),
    ):
        yield ImageFilter(
            label, model_hash=model_hash, made_with=made_with, digital_source_type=code, declared_technique=technique
        )


def meets(wanted: ImageFilter, given: Given) -> bool:
    tool, model_hash, code, fake, finetuned = given
    return (
        (wanted.label is None or fake)
        and (wanted.model_hash is None or wanted.model_hash.strip().lower() == model_hash)
        and (wanted.made_with is None or wanted.made_with.strip().lower() == tool.lower())
        and wanted.digital_source_type in (None, code)
        and (wanted.declared_technique is None or finetuned)
    )


def test_images_are_found_by_what_their_files_say(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """With streams counted to their end and with streams too long to be counted; page by page, each image once."""
    with catalog.writing() as session:
        given = fill(session)
    with catalog.reading() as session:
        for wanted, counted in product(filters(), (newest.COUNTED, 5)):
            monkeypatch.setattr(newest, "COUNTED", counted)
            numbers = [number for number, facts in given.items() if meets(wanted, facts)]
            assert images.matching_ids(session, wanted).tolist() == numbers, wanted
            first = images.page(session, wanted, limit=4)
            rest = images.page(session, wanted, limit=40, cursor=first.next_cursor) if first.next_cursor else None
            found = first.items + (rest.items if rest else ())
            assert [image.sha256 for image in found] == [digest(number) for number in reversed(numbers)], wanted


@pytest.mark.parametrize(
    "wanted",
    [
        ImageFilter(model_hash="6ce0161689"),
        ImageFilter(made_with="ComfyUI"),
        ImageFilter(digital_source_type="print"),
        ImageFilter(declared_technique=Technique.FACE_SWAP),
    ],
    ids=["model_hash", "made_with", "digital_source_type", "declared_technique"],
)
def test_a_page_by_what_files_say_walks_an_index(wanted: ImageFilter, tmp_path) -> None:
    with Catalog.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as catalog, catalog.reading() as session:
        statement = newest.newest_ids(wanted, 2**63 - 1, 50)
        query = statement.compile(compile_kwargs={"literal_binds": True})
        plan = [row.detail for row in session.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
    walked = r"SEARCH (provenance USING .*INDEX ix_provenance_|declared_technique USING PRIMARY KEY)"
    assert any(re.match(walked, step) for step in plan), plan
    assert not any(re.match("SCAN (provenance|declared)", step) for step in plan), plan
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in plan), plan
