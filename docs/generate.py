"""Writes the reference pages from the code they describe: settings.md, cli.md, http-api.md.

`make docs` runs it; a test fails when a page is out of date.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from indexer.cli.app import COMMANDS, cli
from indexer.settings import Settings
from search_api.app import create_app

HERE = Path(__file__).parent
WRITTEN_BY = "<!-- Written by `make docs` from the code. Change the code, not this page. -->"

SETTING_GROUPS = {
    "Where things are": "home",
    "Pictures": "max_file_bytes",
    "Detector": "detector",
    "Provenance": "c2pa_trust_anchors",
    "Search": "search_limit",
    "Campaigns": "campaign_neighbours",
    "HTTP": "host",
    "Jobs": "job_rows_max",
    "Watches": "watches_max",
}
"""Heading -> the setting it stands before; settings come in the order of the class."""


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        WRITTEN_BY,
        "",
        "```",
        "export DEJAFAKE_HOME=/data/dejafake",
        "dejafake ingest photos/",
        "```",
        "",
        "Every setting is an environment variable. `--home`, `--database-url` and `--detector` can also be given to",
        "any command: `dejafake --home DIR ingest …`. A value out of range is refused with the variable's name.",
    ]
    headings = {first: heading for heading, first in SETTING_GROUPS.items()}
    for name, field in Settings.model_fields.items():
        if name in headings:
            lines += ["", f"## {headings[name]}", "", "| variable | default | meaning |", "|---|---|---|"]
        lines.append(f"| `DEJAFAKE_{name.upper()}` | {_default(field)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _default(field: Any) -> str:
    if field.default_factory is not None:
        return "the user's data folder"
    if field.default is None:
        return "unset"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, tuple):
        return "`[" + ", ".join(f'"{value}"' for value in field.default) + "]`"
    return f"`{field.default}`"


def cli_page() -> str:
    """docs/cli.md."""
    lines = [
        "# The command line",
        "",
        WRITTEN_BY,
        "",
        "```",
        "dejafake ingest photos/",
        "dejafake search suspicious.jpg",
        "```",
        "",
        "Exit codes: 0 done, 1 it failed, 2 the command was used wrongly, 130 interrupted. Results go to standard",
        "output, progress and errors to standard error. `--json` prints JSON for machines.",
        "",
        "```",
        _help(cli, "dejafake"),
        "```",
    ]
    for name, command in _commands():
        lines += ["", f"## `{name}`", "", "```", _help(command, name), "```"]
    return "\n".join(lines) + "\n"


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli, info_name="dejafake")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is None:
            continue
        yield f"dejafake {name}", command
        if isinstance(command, click.Group):
            for part, below in command.commands.items():
                yield f"dejafake {name} {part}", below


def _help(command: click.Command, name: str) -> str:
    context = click.Context(
        command, info_name=name, terminal_width=100, max_content_width=100, help_option_names=["-h", "--help"]
    )
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    return text.replace(f"[default: {Path.home()}", "[default: ~")


def http_page() -> str:
    """docs/http-api.md."""
    schema = create_app(Settings(home=Path("dejafake-home"))).openapi()
    lines = [
        "# The HTTP API",
        "",
        WRITTEN_BY,
        "",
        "```",
        "dejafake serve",
        "curl -F image=@suspicious.jpg http://127.0.0.1:8000/v1/search",
        "```",
        "",
        "Interactive documentation with examples is at `/docs`, the OpenAPI 3.1 description at `/openapi.json`. Errors",
        "are problem documents (RFC 9457). Lists page by opaque cursor: pass `next_cursor` to get the next page.",
        "",
        "What can be changed has an `ETag`. Send it back as `If-Match` with the change: if somebody else changed it",
        "meanwhile, the answer is 412, nothing is done, and `changes` says who stated or decided what. Without",
        "`If-Match` the change is made in any case. A GET with `If-None-Match` answers 304 while nothing changed.",
    ]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            lines += ["", f"## `{method.upper()} {path}`", "", operation.get("description") or operation["summary"]]
            lines += _parameters(operation.get("parameters", []))
            lines += _bodies(operation.get("requestBody", {}), schema)
            statuses = ", ".join(
                f"`{status}` {answer['description']}" for status, answer in operation["responses"].items()
            )
            lines += ["", f"Answers: {statuses}"]
    return "\n".join(lines) + "\n"


def _parameters(parameters: list[dict[str, Any]]) -> list[str]:
    if not parameters:
        return []
    rows = [
        f"| `{one['name']}` | {one['in']}{', required' if one.get('required') else ''} | {one.get('description', '')} |"
        for one in parameters
    ]
    return ["", "| parameter | where | meaning |", "|---|---|---|", *rows]


def _bodies(body: dict[str, Any], document: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for kind, content in body.get("content", {}).items():
        described = _resolved(content["schema"], document)
        required = described.get("required", [])
        if "oneOf" in described and "description" in described:
            lines += ["", f"Body, `{kind}`: {described['description']}"]
            continue
        lines += ["", f"Body, `{kind}`:", "", "| field | meaning |", "|---|---|"]
        for name, field in described.get("properties", {}).items():
            meaning = _resolved(field, document).get("description", "") or field.get("description", "")
            lines.append(f"| `{name}`{', required' if name in required else ''} | {' '.join(meaning.split())} |")
    return lines


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A schema, or the one it refers to, with its own description first."""
    if "$ref" not in schema:
        return schema
    target: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings_page, "cli.md": cli_page, "http-api.md": http_page}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (HERE / page).write_text(make(), encoding="utf-8")
        sys.stdout.write(f"docs/{page}\n")
