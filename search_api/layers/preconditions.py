"""Conditional requests (RFC 9110, section 13): which version of a resource a client has, and whether it still is that.

A resource's version is its entity tag. Routes that change one take `IfMatch` and ask it inside the writing
transaction, which has no other writer beside it: of two people who read the same version only the first one's change
goes through. Routes that read one take `Tagged`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response

from search_api.layers.errors import Change, MalformedHeaderError, NotModifiedError, StaleError

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_SEPARATOR: Final = re.compile(r"[ \t,]*")
_TAGS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a resource. `tag` is opaque to clients and has no quotes; what stands before its last full stop, if
    it has one, changes only when people or feeds say something. `since` tells what changed after an earlier tag, as far
    as that is known."""

    tag: str
    since: Callable[[str], Sequence[Change]] = lambda _tag: ()

    @property
    def stated(self) -> str:
        """The part of the tag that changes when people or feeds say something; the whole tag if it has no parts."""
        return _stated(self.tag)


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a change depends on.

    Attributes:
        tags: the strong tags of which one must be that of the resource; None for no condition.
        only_stated: compare only the part that people and feeds change: a form is stale when somebody spoke, not when
            a detector or a clustering ran.
    """

    tags: tuple[str, ...] | None = None
    only_stated: bool = False

    def require(self, version: Callable[[], Version]) -> None:
        """Checks the condition. Call it inside the transaction that writes, before it writes.

        Args:
            version: reads the resource's version in that transaction; not called without a condition.

        Raises:
            StaleError: the resource has another version.
        """
        if self.tags is None:
            return
        present = version()
        if present.tag in self.tags or (self.only_stated and present.stated in map(_stated, self.tags)):
            return
        raise StaleError(present.tag, tuple(present.since(self.tags[0])) if len(self.tags) == 1 else ())


UNCONDITIONAL: Final = Precondition()


class Answer:
    """The answer to a request for a resource, which gets its version as ETag."""

    def __init__(self, request: Request | None = None, response: Response | None = None) -> None:
        self._request = request
        self._response = response

    def tag(self, version: Version) -> None:
        """Sets the ETag.

        Raises:
            NotModifiedError: a GET whose client has this version already (If-None-Match); becomes a 304.
        """
        if self._request is None or self._response is None:
            return
        quoted = f'"{version.tag}"'
        self._response.headers["ETag"] = quoted
        given = _joined(self._request, "if-none-match")
        if given is None or self._request.method not in ("GET", "HEAD"):
            return
        if given == "*" or version.tag in {tag for _, tag in _entity_tags(given, "If-None-Match")}:
            raise NotModifiedError(quoted)


NO_ANSWER: Final = Answer()


def _precondition(
    request: Request,
    _if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="Change it only if its ETag is still one of these (RFC 9110); `*`: whatever it is. "
            "Without this header it is changed in any case.",
        ),
    ] = None,
) -> Precondition:
    given = _joined(request, "if-match")
    if given is None or given == "*":  # what does not exist is a 404, with the header and without
        return UNCONDITIONAL
    return Precondition(tuple(tag for weak, tag in _entity_tags(given, "If-Match") if not weak))


def _answer(
    request: Request,
    response: Response,
    _if_none_match: Annotated[
        str | None,
        Header(alias="If-None-Match", description="ETags a client has: if one is current, the answer is 304, empty."),
    ] = None,
) -> Answer:
    return Answer(request, response)


IfMatch = Annotated[Precondition, Depends(_precondition)]
Tagged = Annotated[Answer, Depends(_answer)]


def _joined(request: Request, name: str) -> str | None:
    lines = request.headers.getlist(name)
    return ",".join(lines).strip() if lines else None


def _entity_tags(given: str, header: str) -> list[tuple[bool, str]]:
    """Each tag of a list, and whether it is a weak one.

    Raises:
        MalformedHeaderError: it is no list of entity tags.
    """
    tags: list[tuple[bool, str]] = []
    separator = ","  # of one tag from the next; a tag may itself hold commas
    position = _end(_SEPARATOR.match(given))
    while position < len(given) and len(tags) < _TAGS_MAX and "," in separator:
        tag = _TAG.match(given, position)
        if tag is None:
            break
        tags.append((tag[1] is not None, tag[2]))
        position = _end(_SEPARATOR.match(given, tag.end()))
        separator = given[tag.end() : position]
    if not tags or position < len(given):
        raise MalformedHeaderError(f'{header} takes ETags in quotes, as in "abc", a list of up to {_TAGS_MAX}, or *.')
    return tags


def _end(match: re.Match[str] | None) -> int:
    return 0 if match is None else match.end()


def _stated(tag: str) -> str:
    return tag.rpartition(".")[0] or tag
