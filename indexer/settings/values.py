"""How settings are spelt in the environment: lists, paths and secrets, and what is said of those that are wrong.

A wrong one is one line that names its variable and never shows a secret; an unknown variable is warned of once.
"""

import difflib
import json
import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationError
from pydantic_settings import NoDecode

from indexer.settings.host_names import host_name

logger = logging.getLogger(__name__)

PREFIX: Final = "DEJAFAKE_"
_TOLD: Final[set[str]] = set()
"""Unknown variables that this process has warned of."""


def _names(given: object) -> object:
    """A list as JSON, as names with commas between, or as one name."""
    if not isinstance(given, str):
        return given
    text = given.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            if '"' in text:
                raise ValueError('not a JSON list: write ["one", "two"], or names with commas between') from None
    if text.startswith("{"):
        raise ValueError('not a list: write ["one", "two"], or names with commas between')
    return [name.strip() for name in text.split(",") if name.strip()]


def _without_spaces(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not name or any(letter.isspace() or not letter.isprintable() for letter in name):
            raise ValueError(f"{name!r} is not a name: write names with commas between, or a JSON list")
    return names


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names), AfterValidator(_without_spaces)]
"""A list of names: `one`, `one,two` or `["one", "two"]`."""


def _hosts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Host names without ports, IPv6 addresses in brackets."""
    hosts: list[str] = []
    for name in names:
        plain = f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else _in_ascii(name)
        host = host_name(plain)
        if host is None or plain.rpartition("]")[2].count(":"):
            raise ValueError(
                f"{name!r} is not a host name: write it without https://, port, path or *, as in fakes.example.org"
            )
        hosts.append(host)
    if not hosts:
        raise ValueError("the list is empty: name at least one host")
    return tuple(hosts)


def _in_ascii(name: str) -> str:
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


HostNames = Annotated[Names, AfterValidator(_hosts)]
"""Names that a Host header may carry, at least one."""


def _expanded(given: object) -> object:
    """`~` as the user's own folder; `./~` is a folder of that name, which `Path` would no longer tell apart."""
    if not isinstance(given, str | Path):
        return given
    text = str(given)
    if "\0" in text:
        raise ValueError("a path has no NUL character")
    if not text:
        raise ValueError("it is empty: give a path")
    try:
        return Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 - see above
    except OSError as error:
        raise ValueError(f"the working folder, which {text!r} starts from, is gone ({error.strerror})") from None


AnyPath = Annotated[Path, BeforeValidator(_expanded)]
"""A path as the shell would take it: `~` is the user's own folder, and a relative one starts here and now."""


def _said(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not text:
        raise ValueError("it is empty: use a long random secret")
    if not text.isprintable():
        raise ValueError("it has control characters: use a long random secret on one line")
    return SecretStr(text)


Secret = Annotated[SecretStr, AfterValidator(_said)]
"""A secret that can be sent in a header."""


def wrong(error: ValidationError) -> str:
    """The first thing that is wrong, in one line with its variable; never the value, which may be a secret."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    name = str(faults[0]["loc"][0]) if faults[0]["loc"] else "settings"
    words = " ".join(faults[0]["msg"].removeprefix("Value error, ").split())
    others = sorted({variable(fault["loc"][0]) for fault in faults if fault["loc"]} - {variable(name)})
    more = f" (also wrong: {', '.join(others)})" if others else ""
    return f"setting {name} ({variable(name)}): {words}{more}"


def variable(name: object) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{str(name).upper()}"


def warn_of_unknown(names: Collection[str]) -> None:
    """Warns once of every `DEJAFAKE_…` in the environment that is none of these settings: it would change nothing."""
    known = {variable(name) for name in names}
    for given in sorted(os.environ):
        if not given.upper().startswith(PREFIX) or given.upper() in known or given in _TOLD:
            continue
        _TOLD.add(given)
        near = difflib.get_close_matches(given.upper(), known, n=1)
        meant = f"did you mean {near[0]}?" if near else "docs/settings.md lists what there is"
        logger.warning("%s is not a setting and changes nothing: %s", ascii(given)[1:-1], meant)
