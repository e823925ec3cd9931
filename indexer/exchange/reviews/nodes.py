"""One JSON-LD object, read property by property; it keeps track of the properties that were never read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
_PREFIXES = ("http://schema.org/", "https://schema.org/", "schema:")


def term(name: str) -> str:
    """A schema.org term without its prefix or address."""
    return next((name[len(prefix) :] for prefix in _PREFIXES if name.startswith(prefix)), name)


def types_of(value: Mapping[str, Any]) -> tuple[str, ...]:
    """The types an object says it has."""
    said = value.get("@type", value.get("type"))
    return tuple(term(name) for name in flat(said) if isinstance(name, str))


def flat(value: Any) -> Iterator[Any]:
    """A value, or the values of nested lists, without nulls; a value object (`@value`) is replaced by its value."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(reversed(node))
        elif isinstance(node, Mapping) and "@list" in node:
            pending.append(node["@list"])
        elif isinstance(node, Mapping) and "@value" in node:
            pending.append(node["@value"])
        elif node is not None:
            yield node


class References:
    """The objects of a document by `@id`, to resolve references `{"@id": …}`."""

    def __init__(self) -> None:
        self._objects: dict[str, Mapping[str, Any]] = {}

    def note(self, value: Mapping[str, Any]) -> None:
        """Remember an object that has more than its `@id`; the first with an `@id` counts."""
        name = value.get("@id")
        if isinstance(name, str) and len(value) > 1:
            self._objects.setdefault(name, value)

    def follow(self, value: Any) -> Any:
        """The object that a bare reference names, or else the value itself."""
        if isinstance(value, Mapping) and set(value) == {"@id"} and isinstance(value["@id"], str):
            return self._objects.get(value["@id"], value)
        return value


class Node:
    """An object being read. `take…` gives the value of a property and marks it as understood; a property without any
    usable value stays in `other`."""

    def __init__(self, value: Mapping[str, Any], references: References) -> None:
        self._value = value
        self._references = references
        self._names = {term(name): name for name in reversed(list(value))}
        self._understood = {name for name in value if term(name) in ("@type", "type", "@context", "@id")}
        self.types = types_of(value)

    def take(self, name: str, read: Callable[[Any], T | None]) -> T | None:
        """The first value of a property that `read` accepts; it returns None or raises ValueError for others."""
        return next(iter(self.take_all(name, read, most=1)), None)

    def take_all(self, name: str, read: Callable[[Any], T | None], *, most: int | None = None) -> list[T]:
        """All values of a property that `read` accepts. The property is understood if it has no others."""
        values: list[T] = []
        whole = True
        for value in flat(self._value.get(self._names.get(name, name))):
            if most is not None and len(values) >= most:
                whole = False
                break
            used = _used(read, self._references.follow(value))
            if used is None:
                whole = False
            else:
                values.append(used)
        if values and whole:
            self._understood.add(self._names[name])
        return values

    def take_nodes(self, name: str) -> "list[Node]":
        """The objects a property holds; plain addresses become objects with that `url`."""
        return self.take_all(name, self._child)

    def leave(self, name: str) -> None:
        """Mark a property as not understood after all, because only a part of it was used."""
        self._understood.discard(self._names.get(name, name))

    def _child(self, value: Any) -> "Node | None":
        if isinstance(value, str):
            value = {"url" if value.startswith(("http://", "https://")) else "name": value}
        return Node(value, self._references) if isinstance(value, Mapping) else None

    @property
    def other(self) -> dict[str, Any]:
        """The properties that were not understood, verbatim, without nulls."""
        return {
            name: value for name, value in self._value.items() if name not in self._understood and value is not None
        }


def _used(read: Callable[[Any], T | None], value: Any) -> T | None:
    try:
        return read(value)
    except ValueError:
        return None
