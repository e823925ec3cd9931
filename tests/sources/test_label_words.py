"""Words for labels: what the table says, what is never guessed, and what whoever reads a source may say."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.errors import UsageError
from indexer.exchange.reviews.categories import MediaCategory, categories_of
from indexer.imaging.limits import ImageLimits
from indexer.sources import open_source
from indexer.sources.label_words import MOST_WORDS, TABLE_ONLY, LabelWords, WordTally, key, meaning_of
from indexer.sources.word_table import WORDS, Meaning
from indexer.vocabulary import LabelValue

FAKE, AUTHENTIC, UNKNOWN = LabelValue.FAKE, LabelValue.AUTHENTIC, LabelValue.UNKNOWN


@pytest.fixture
def folder(tmp_path: Path, photo: Callable[..., bytes]) -> Path:
    (tmp_path / "pictures").mkdir()
    for number, name in enumerate("ab"):
        (tmp_path / "pictures" / f"{name}.png").write_bytes(photo(number))
    return tmp_path


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *[(word, FAKE) for word in ("Fake", "AI-generated", "ai  GENERATED", "Altered photo", "doctored", "Deep-Fake")],
        *[(word, FAKE) for word in ("Généré par l'IA", "GENERE PAR L’IA", "KI-generiert", "gefälscht", "AI生成")],
        *[(word, FAKE) for word in ("Altered, false", "manipulated / misleading", "“Fake.”", "1_fake")],
        *[(word, AUTHENTIC) for word in ("authentic", "Genuine!", "UNALTERED", "real image", "0_real", "Auténtica")],
        ("Unknown", UNKNOWN),
    ],
)
def test_words_of_real_feeds_give_their_label(word: str, value: LabelValue) -> None:
    assert TABLE_ONLY.read(word).value is value


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        *[
            (word, Meaning.CLAIM)
            for word in ("Misleading", "satire", "Missing Context", "miscaptioned", "faux", "falso")
        ],
        *[(word, Meaning.EITHER) for word in ("0", "1", "0.0", "1.0", "-0", "+1", "01", "TRUE", "False", "yes", "N")],
        *[(word, Meaning.UNCLEAR) for word in ("edited", "not AI-generated", "real/AI", "fake and real, mixed")],
        *[(word, Meaning.NOT_IN_TABLE) for word in ("2", "0.87", "blurry", "real-ish nonsense", "…", "fake, blurry")],
    ],
)
def test_words_that_do_not_say_whether_a_picture_is_fake_give_no_label(word: str, meaning: Meaning) -> None:
    said = TABLE_ONLY.read(word)
    assert (said.value, said.meaning, said.said) == (None, meaning, word)


def test_no_word_of_the_table_means_two_things() -> None:
    keys = [word for words in WORDS.values() for word in {key(word) for word in words}]
    assert sorted(keys) == sorted(set(keys))
    assert all(keys)


def test_categories_of_media_reviews_mean_what_the_table_says_of_their_words() -> None:
    labels = {MediaCategory.ORIGINAL: Meaning.AUTHENTIC, MediaCategory.TRANSFORMED: Meaning.FAKE}
    labels[MediaCategory.EDITED_OR_CROPPED] = Meaning.UNCLEAR
    named = {category for words in WORDS.values() for word in words for category in categories_of(word)}
    assert {one.category for one in named} >= set(MediaCategory)
    for one in named:
        if one.category is not None:
            assert meaning_of(one.said) is labels.get(one.category, Meaning.CLAIM), one.said


@pytest.mark.parametrize("given", [("0=authentic,1=fake",), ("0=authentic", " 1 = FAKE ")])
def test_a_mapping_says_what_numbers_mean_in_any_spelling(given: tuple[str, ...]) -> None:
    words = LabelWords.of(given)
    assert [words.read(text).value for text in ("0", "0.0", "1", "1.0", "2")] == [
        AUTHENTIC,
        AUTHENTIC,
        FAKE,
        FAKE,
        None,
    ]
    assert words.read("1").by_hand
    swapped = LabelWords.of(("0=fake,1=authentic",))
    assert [swapped.read(text).value for text in ("0", "1")] == [FAKE, AUTHENTIC]
    assert swapped.mark != words.mark


def test_a_mapping_goes_before_the_table_and_may_name_any_word() -> None:
    words = LabelWords.of(("satire=authentic", "Altered, then false=unknown", "a=b=fake"))
    found = [words.read(text).value for text in ("SATIRE", "altered then FALSE", "a=b", "fake")]
    assert found == [AUTHENTIC, UNKNOWN, FAKE, FAKE]


@pytest.mark.parametrize(
    "given", ["0", "=fake", "0=maybe", "0=", "0=true", "0=fake,0=authentic", "0=fake,0.0=authentic"]
)
def test_a_mapping_that_says_nothing_or_two_things_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="--map-label"):
        LabelWords.of((given,))


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("is_fake", "1", FAKE),
        ("Is Fake", "no", AUTHENTIC),
        ("is_real", "TRUE", AUTHENTIC),
        ("is_ai_generated", "1", FAKE),
        ("is_ai_generated", "0", None),
        ("is_authentic", "false", None),
        ("is_fake", "2", None),
        ("label", "1", None),
    ],
)
def test_a_column_that_asks_makes_yes_and_no_clear(column: str, cell: str, value: LabelValue | None) -> None:
    assert TABLE_ONLY.read(cell, column).value is value


def test_booleans_are_read_by_the_name_of_their_column(folder: Path, limits: ImageLimits) -> None:
    for column, values in (("label", [None, None]), ("is_fake", [FAKE, AUTHENTIC])):
        rows = [{"path": f"pictures/{name}.png", column: name == "a"} for name in "ab"]
        (folder / "m.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        assert [item.value for item in open_source(folder / "m.jsonl", limits)] == values
    table = pa.table({"path": ["pictures/a.png", "pictures/b.png"], "is_fake": [True, False]})
    pq.write_table(table, folder / "m.parquet")
    assert [item.value for item in open_source(folder / "m.parquet", limits)] == [FAKE, AUTHENTIC]


@pytest.mark.parametrize("word", ["FALSE", "Misleading", "0", "something else"])
def test_a_word_without_a_label_keeps_the_picture_and_the_word(word: str, folder: Path, limits: ImageLimits) -> None:
    (folder / "m.csv").write_text(f"path,Label,generator\npictures/a.png,{word},GAN\n", encoding="utf-8")
    (item,) = open_source(folder / "m.csv", limits)
    assert (item.value, item.word.said) == (None, word)
    assert item.fields == {"Label": word, "generator": "GAN"}
    (mapped,) = open_source(folder / "m.csv", limits, words=LabelWords.of((f"{word}=fake",)))
    assert (mapped.value, mapped.generator, mapped.fields) == (FAKE, "GAN", {"Label": word})
    assert mapped.edition != item.edition


def test_names_of_folders_can_be_given_a_meaning(plant: Callable[..., Path], limits: ImageLimits) -> None:
    root = plant("sd/nature/1.png", "sd/ai/2.png", "sd/real/3.png", "0/4.png")
    plain = {item.location: item.value for item in open_source(root, limits)}
    assert plain == {"sd/nature/1.png": None, "sd/ai/2.png": None, "sd/real/3.png": AUTHENTIC, "0/4.png": None}
    words = LabelWords.of(("ai=fake,nature=authentic,0=fake",))
    items = {item.location: item for item in open_source(root, limits, words=words)}
    assert [items[place].value for place in sorted(items)] == [FAKE, FAKE, AUTHENTIC, AUTHENTIC]
    assert items["sd/ai/2.png"].generator == "sd"


def test_words_are_counted_by_what_they_were_understood_as_and_a_hostile_table_stays_small() -> None:
    tally = WordTally()
    for word in ("Fake", "fake", "FALSE", *(f"word {number}" for number in range(1_000))):
        tally.count(TABLE_ONLY.read(word))
    counts = tally.counts()
    assert (counts[0].word, counts[0].value, counts[0].count) == ("Fake", FAKE, 2)
    assert sum(one.count for one in counts) == 1_003
    assert len(counts) <= MOST_WORDS + 10
