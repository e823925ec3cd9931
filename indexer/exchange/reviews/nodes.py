"""One JSON-LD object, read property by property; whoever reads it knows in the end what nobody asked for."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
_PREFIXES = ("http://schema.org/", "https://schema.org/", "schema:")


def term(name: str) -> str:
    """A schema.org term without the prefix or address it may be written with."""
    return next((name[len(prefix) :] for prefix in _PREFIXES if name.startswith(prefix)), name)


def types_of(value: Mapping[str, Any]) -> tuple[str, ...]:
    """The types an object says it has."""
    said = value.get("@type", value.get("type"))
    return tuple(term(one) for one in flat(said) if isinstance(one, str))


def flat(value: Any) -> Iterator[Any]:
    """A value, or those of a list of lists, without nulls; a value object (`@value`) is its value."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending.extend(reversed(one))
        elif isinstance(one, Mapping) and "@list" in one:
            pending.append(one["@list"])
        elif isinstance(one, Mapping) and "@value" in one:
            pending.append(one["@value"])
        elif one is not None:
            yield one


class References:
    """The objects of a document by `@id`, so that `{"@id": …}` stands for the object it names."""

    def __init__(self) -> None:
        self._objects: dict[str, Mapping[str, Any]] = {}

    def note(self, value: Mapping[str, Any]) -> None:
        """Remember an object that says more than its name; the first of a name counts."""
        name = value.get("@id")
        if isinstance(name, str) and len(value) > 1:
            self._objects.setdefault(name, value)

    def follow(self, value: Any) -> Any:
        """The object a bare reference names, or the value itself."""
        if isinstance(value, Mapping) and set(value) == {"@id"} and isinstance(value["@id"], str):
            return self._objects.get(value["@id"], value)
        return value


class Node:
    """An object being read. `take…` gives what a property says and counts it as understood; a property of which
    nothing could be used stays in `other`."""

    def __init__(self, value: Mapping[str, Any], references: References) -> None:
        self._value = value
        self._references = references
        self._names = {term(name): name for name in reversed(list(value))}
        self._understood = {name for name in value if term(name) in ("@type", "type", "@context", "@id")}
        self.types = types_of(value)

    def take(self, name: str, read: Callable[[Any], T | None]) -> T | None:
        """The first value of a property that `read` can use; it says None, or raises ValueError, where it cannot."""
        return next(iter(self.take_all(name, read, most=1)), None)

    def take_all(self, name: str, read: Callable[[Any], T | None], *, most: int | None = None) -> list[T]:
        """All values of a property that `read` can use. The property is understood when that is all it held."""
        found: list[T] = []
        whole = True
        for value in flat(self._value.get(self._names.get(name, name))):
            if most is not None and len(found) >= most:
                whole = False
                break
            used = _used(read, self._references.follow(value))
            if used is None:
                whole = False
            else:
                found.append(used)
        if found and whole:
            self._understood.add(self._names[name])
        return found

    def take_nodes(self, name: str) -> "list[Node]":
        """The objects a property holds; plain addresses become objects with that `url`."""
        return self.take_all(name, self._child)

    def leave(self, name: str) -> None:
        """Count a property as not understood after all: only a part of it was used."""
        self._understood.discard(self._names.get(name, name))

    def _child(self, value: Any) -> "Node | None":
        if isinstance(value, str):
            value = {"url" if value.startswith(("http://", "https://")) else "name": value}
        return Node(value, self._references) if isinstance(value, Mapping) else None

    @property
    def other(self) -> dict[str, Any]:
        """What was not understood, as it stands; nulls are left out, they say nothing."""
        return {
            name: value for name, value in self._value.items() if name not in self._understood and value is not None
        }


def _used(read: Callable[[Any], T | None], value: Any) -> T | None:
    try:
        return read(value)
    except ValueError:
        return None
