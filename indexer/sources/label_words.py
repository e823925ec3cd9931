"""What label words in other people's data mean: one table, shown by `dejafake label --words`.

Words about a claim ("false", "missing context") and words that data sets use either way (0, 1, true) become no label:
the picture is kept without a label, with the word verbatim. Users may say what a word means in their source.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from indexer.errors import UsageError
from indexer.sources.word_table import FLAG_COLUMNS, NO, PICTURE_WORDS, WORDS, YES, Meaning
from indexer.vocabulary import LabelValue

_TOKEN = re.compile(r"[^\W_]+")
_SEVERAL = re.compile(r"[,;|/\n]|\s[-–—+&]\s|\s(?:and|et|und|y|e)\s", re.IGNORECASE)
_QUESTION = frozenset("?\uff1f\u061f\u055e")
_PLAIN = frozenset({"fake", "authentic", "real", "unknown"})
_FORM = "--map-label takes WORD=fake, WORD=authentic or WORD=unknown, for example --map-label 0=authentic,1=fake"


@dataclass(frozen=True, slots=True)
class StatedWord:
    """A label word: as it was written, what kind of word it is, and the label it gives, if any. `by_hand`: the user
    gave its meaning."""

    said: str
    meaning: Meaning
    value: LabelValue | None
    by_hand: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is one of dejafake's own words, which tells no more than the label does."""
        return not self.by_hand and self.value is not None and key(self.said) in _PLAIN


@dataclass(frozen=True, slots=True)
class LabelWords:
    """The table of words with a user's own meanings, by key, which take precedence."""

    by_hand: Mapping[str, LabelValue]

    @classmethod
    def of(cls, mappings: Iterable[str] = ()) -> "LabelWords":
        """From options like `0=authentic,1=fake`, each one pair or several.

        Raises:
            UsageError: not of that form, another label, or a word that is given two.
        """
        meanings: dict[str, LabelValue] = {}
        for text in mappings:
            parts = text.split(",")
            for pair in parts if all("=" in part for part in parts) else [text]:
                word, _, named = pair.rpartition("=")
                value = meaning_of(named).value_meant
                if not key(word) or value is None or value.value != named.strip().lower():
                    raise UsageError(f"{_FORM}; not {pair[:80]!r}")
                if meanings.setdefault(key(word), value) is not value:
                    raise UsageError(f"--map-label says both of {word.strip()[:80]!r}: choose one")
        return cls(meanings)

    @property
    def mark(self) -> str:
        """A digest of the user's own words, which distinguishes sources read with different ones; empty without any."""
        said = sorted((word, value.value) for word, value in self.by_hand.items())
        return f"-{sha256(repr(said).encode()).hexdigest()[:12]}" if said else ""

    def says(self, text: str) -> bool:
        """Whether the user said what this word means."""
        return key(text) in self.by_hand

    def read(self, text: str, column: str | None = None) -> StatedWord:
        """The meaning of a cell in a column of this name."""
        said = text.strip()
        word = key(said)
        if word in self.by_hand:
            value = self.by_hand[word]
            return StatedWord(said, Meaning(value.value), value, by_hand=True)
        yes_no = _flags().get(key(column)) if column else None
        if yes_no is not None and word in YES | NO:
            flag = yes_no[0] if word in YES else yes_no[1]
            return StatedWord(said, Meaning.UNCLEAR if flag is None else Meaning(flag.value), flag)
        meaning = meaning_of(said)
        return StatedWord(said, meaning, meaning.value_meant)


MOST_WORDS = 50
"""Most different words with counts of their own; a hostile table could hold a million."""
LONGEST_WORD = 80
"""Longest part of a word that is counted and shown, in characters."""


@dataclass(frozen=True, slots=True)
class WordCount:
    """How often a label word occurred, and the label it gave; `value` None: no label."""

    word: str
    meaning: Meaning
    value: LabelValue | None
    by_hand: bool
    count: int


class WordTally:
    """Counts label words. Spellings of one word count together under the first."""

    def __init__(self) -> None:
        self._words: dict[object, tuple[StatedWord, int]] = {}

    def count(self, word: StatedWord) -> None:
        """Count a word."""
        kind = (word.meaning, word.value, word.by_hand)
        slot: object = (*kind, key(word.said)[:LONGEST_WORD])
        if slot not in self._words and len(self._words) >= MOST_WORDS:
            slot, word = kind, StatedWord("other words", *kind)
        first, counted = self._words.get(slot, (word, 0))
        self._words[slot] = (first, counted + 1)

    def counts(self) -> tuple[WordCount, ...]:
        """All words, those that gave a label first, the most frequent first."""
        word_counts = [
            WordCount(word.said[:LONGEST_WORD], word.meaning, word.value, word.by_hand, count)
            for word, count in self._words.values()
        ]
        return tuple(sorted(word_counts, key=lambda word: (word.value is None, -word.count, word.word)))


TABLE_ONLY = LabelWords({})
"""The words of the table only."""


def key(text: str) -> str:
    """The key that spellings of one word share: letters and digits without accents, in lower case; a number's value. A
    question ("fake?") is a doubt and has another key."""
    number = re.fullmatch(r"\s*[+-]?\d{1,12}(?:\.\d{0,12})?\s*", text)
    if number:
        return f"{float(text) + 0.0:g}"  # -0 is 0
    parts = _TOKEN.findall(_plain(text))
    rest = [part for part in parts if part not in PICTURE_WORDS]
    word = "".join(rest or parts)
    return f"{word}?" if word and not _QUESTION.isdisjoint(text) else word


def meaning_of(text: str) -> Meaning:
    """What a word means by the table. Of several ("Altered, false") those that give a label decide, if they agree."""
    whole = _table().get(key(text))
    if whole is not None:
        return whole
    parts = [part for part in _SEVERAL.split(text) if key(part)]
    if len(parts) < 2:
        return Meaning.NOT_IN_TABLE
    meanings = [_table().get(key(part), Meaning.NOT_IN_TABLE) for part in parts]
    if Meaning.NOT_IN_TABLE in meanings:
        return Meaning.NOT_IN_TABLE
    stated = {meaning for meaning in meanings if meaning.value_meant is not None}
    if len(stated) == 1:
        return stated.pop()
    return Meaning.UNCLEAR if stated else meanings[0]


@cache
def _table() -> Mapping[str, Meaning]:
    table: dict[str, Meaning] = {}
    for meaning, words in WORDS.items():
        for word in words:
            if key(word):
                table[key(word)] = meaning
    return table


@cache
def _flags() -> Mapping[str, tuple[LabelValue | None, LabelValue | None]]:
    return {key(name): answers for name, answers in FLAG_COLUMNS.items()}


def _plain(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in spread if unicodedata.category(c) != "Mn"))
