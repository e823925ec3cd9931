"""Every `dejafake …` line that the docs tell people to type names a command, options and words that exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from indexer.cli.app import cli

ROOT = Path(__file__).parent.parent
GENERATED = ("cli.md", "http-api.md", "settings.md")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "RELEASE.md", "SECURITY.md")),
    *sorted(path for path in ROOT.glob("docs/**/*.md") if path.name not in GENERATED),
    *sorted(ROOT.glob(".github/**/*.md")),
]
UNTIL = {"&&", "||", "|", ";", ">", ">>", "<", "2>"}


def typed(page: Path) -> Iterator[str]:
    """What follows `dejafake` in the blocks and the inline code of a page."""
    text = re.sub(r"\\\n\s*", " ", page.read_text(encoding="utf-8"))
    blocks = re.findall(r"^```(?:\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [code for code in re.findall(r"`([^`]+)`", prose) if code.startswith("dejafake ")]
    for line in lines:
        yield from (part for _, part in re.findall(r"(^|&& |\*  |\$ |run --rm )dejafake ((?:(?!&& ).)+)", line))


def words(line: str) -> list[str]:
    """The arguments of one command, without what the shell does with it."""
    taken: list[str] = []
    for word in shlex.split(line, comments=True):
        if word in UNTIL:
            break
        taken.append(word)
    return [word for word, before in zip(taken, ["", *taken], strict=False) if word != "…" or before.startswith("--")]


def parse(arguments: list[str]) -> None:
    """Follow a command line to its command, and read its options.

    Raises:
        click.UsageError: a command, an option or one of a closed list of words that there is not.
    """
    command: click.Command = cli
    context = click.Context(cli, info_name="dejafake", help_option_names=["-h", "--help"])
    while True:
        values, rest, _ = command.make_parser(context).parse_args(list(arguments))
        if isinstance(command, click.Group) and "fit" in command.commands and rest and rest[0] not in command.commands:
            rest, values = ["fit", *arguments], {}  # `calibrate WHAT` is short for `calibrate fit WHAT`
        for parameter in command.params:
            if isinstance(parameter.type, click.Choice) and (value := values.get(parameter.name or "")):
                for one in value if isinstance(value, list | tuple) else [value]:
                    parameter.type.convert(one, parameter, context)
        if not isinstance(command, click.Group) or not rest:
            break
        name, following, arguments = command.resolve_command(context, rest)
        assert following is not None
        command, context = following, click.Context(following, info_name=name, parent=context)
    if rest not in ([], ["…"]) and not isinstance(command, click.Group):
        raise click.UsageError(f"too many arguments: {rest}", context)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_the_docs_say_to_type_exists(page: Path) -> None:
    for line in typed(page):
        try:
            parse(words(line))
        except (click.UsageError, ValueError) as error:
            pytest.fail(f"{page.name}: dejafake {line}: {error}")


def test_there_is_something_to_check() -> None:
    assert len([*typed(ROOT / "README.md")]) > 15


@pytest.mark.parametrize("wrong", ["find a.jpg", "search a.jpg --limits 3", "label ab --as phony", "watch ad x"])
def test_a_line_that_is_wrong_is_found(wrong: str) -> None:
    with pytest.raises(click.UsageError):
        parse(words(wrong))
