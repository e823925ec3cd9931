"""How commands say what words for labels were understood as, and the option that says what a word means."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from indexer.cli.output import console, plain, table
from indexer.cli.terminal import SafeConsole
from indexer.sources.label_words import LabelWords, WordCount
from indexer.sources.word_table import FLAG_COLUMNS, SAYS, WORDS, Meaning
from indexer.vocabulary import LabelValue


def _read(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> LabelWords:
    return LabelWords.of(given)


map_label_option = click.option(
    "--map-label",
    "words",
    multiple=True,
    metavar="WORD=VALUE",
    callback=_read,
    help="What a word for a label means here: 0=authentic,1=fake; may be repeated. `dejafake label --words` shows all.",
)


def show_words(ctx: click.Context, option: click.Parameter, given: Any) -> None:
    """Prints the table of words and ends, for an option `--words`."""
    if not given or ctx.resilient_parsing:
        return
    out = console()
    listing = table("label", "words")
    for meaning, words in WORDS.items():
        value = meaning.value_meant
        listing.add_row("none" if value is None else value.value, f"{SAYS[meaning]}:")
        listing.add_row("", plain(", ".join(words)))
    out.print(listing)
    out.print("\nColumns that ask, where no column is named label (1, true, yes / 0, false, no):")
    for column, answers in FLAG_COLUMNS.items():
        yes, no = ("no label" if value is None else value.value for value in answers)
        out.print(f"  {column}: {yes} / {no}")
    out.print(
        "\nCase, blanks, punctuation and accents do not matter. A word that gives no label keeps the picture, "
        "unlabelled, with the word as it stood. Say otherwise with --map-label WORD=fake, =authentic or =unknown."
    )
    ctx.exit()


def tell_words(words: Sequence[WordCount], *, quiet: bool = False) -> None:
    """Says what words for labels were understood as and which gave no label; `quiet`: only the latter, on standard
    error."""
    out = SafeConsole(stderr=True) if quiet else console()
    for line in word_lines(words):
        if not quiet or line.startswith("no label"):
            out.print(plain(line), highlight=False, soft_wrap=not sys.stdout.isatty())


def word_lines(words: Sequence[WordCount]) -> list[str]:
    """What to say of words, in lines; none where there were none."""
    understood = [f"{_shown(word)} as {word.value.value}" for word in words if word.value is not None]
    lines = [f"labels understood: {', '.join(understood)}"] if understood else []
    others = [word for word in words if word.value is None]
    for meaning in Meaning:
        same = [word for word in others if word.meaning is meaning]
        if same:
            lines.append(f"no label: {', '.join(_shown(word) for word in same)}; such a word {SAYS[meaning]}")
    if others:
        lines.append(f"no label: say what these mean with {_advice(others)}, and run it again")
    return lines


def _advice(words: Sequence[WordCount]) -> str:
    if {word.word for word in words} & {"0", "1"}:
        return "--map-label 0=authentic,1=fake or --map-label 0=fake,1=authentic"
    return f'--map-label "{words[0].word}=…" ({", ".join(LabelValue)})'


def _shown(word: WordCount) -> str:
    return f'"{word.word}" ({word.count:,})'
