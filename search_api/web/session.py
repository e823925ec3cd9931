"""Who uses the pages: the cookie of a sign-in, the name a person gave, and the tokens of forms.

Two cookies, neither readable by scripts:

* `dejafake_session` is set by `/login`. It holds an expiry and the person's name, signed with a key derived from the
  server's token, so that all processes of one server agree and a new token ends every session. SameSite=Strict.
* `dejafake_form` holds a random value. The token of a form is derived from it: a page of another site can neither read
  nor guess it. It is set with the first page, also where no sign-in is needed.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import scrypt, sha256
from time import time
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

SESSION_COOKIE: Final = "dejafake_session"
FORM_COOKIE: Final = "dejafake_form"
CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "x-csrf-token"
SESSION_SECONDS: Final = 7 * 24 * 3_600
"""How long a sign-in lasts."""
FORM_SECONDS: Final = 30 * 24 * 3_600
SOMEBODY: Final = "somebody at the workbench"
"""Who decides where nobody gave a name."""
PERSON_MAX: Final = 80
"""Longest name of a person, in characters."""
_COOKIE_MAX: Final = 1_000
_OPEN: Final = "a server without a token"


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides and comments. The one place for what a later sign-in with keys of one's own knows of a person."""

    name: str


class Sessions:
    """The sessions of one server.

    Args:
        token: the server's token; None for a server that anybody on this machine may use.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token

    @property
    def needs_token(self) -> bool:
        """Whether one must sign in."""
        return self._token is not None

    def opens(self, token: str) -> bool:
        """Whether this is the server's token; always true where it has none. Takes the same time for any answer."""
        return self._token is None or hmac.compare_digest(token.strip().encode(), self._token.encode())

    def issue(self, name: str) -> str:
        """The value of a new session cookie for a person of this name; empty for none."""
        said = urlsafe_b64encode(name.encode()).decode().rstrip("=")
        claim = f"{int(time()) + SESSION_SECONDS}.{secrets.token_urlsafe(12)}.{said}"
        return f"{claim}.{self._signature(claim)}"

    def read(self, cookie: str) -> str | None:
        """The name in a session cookie, "" where none was given; None where it is not a valid one of this server."""
        claim, _, signature = cookie.rpartition(".")
        if len(cookie) > _COOKIE_MAX or claim.count(".") != 2:
            return None
        if not hmac.compare_digest(signature.encode(), self._signature(claim).encode()):
            return None
        expires, _, said = claim.split(".")
        try:  # where there is no token, anybody can sign anything
            lasts = int(expires) >= time()
            return urlsafe_b64decode(said + "=" * (-len(said) % 4)).decode()[:PERSON_MAX] if lasts else None
        except ValueError:
            return None

    def signed_in(self, request: HTTPConnection) -> bool:
        """Whether a request carries a valid session cookie, or the server needs none."""
        return not self.needs_token or self.read(request.cookies.get(SESSION_COOKIE, "")) is not None

    def person(self, request: HTTPConnection) -> Person | None:
        """Who asks; None where nobody gave a name."""
        name = self.read(request.cookies.get(SESSION_COOKIE, ""))
        return Person(name) if name else None

    def _signature(self, claim: str) -> str:
        return hmac.new(_key(self._token or _OPEN), claim.encode(), sha256).hexdigest()


@lru_cache(maxsize=8)
def _key(token: str) -> bytes:
    """The key that signs sessions; slow on purpose, since a cookie lets its holder try tokens (RFC 7914)."""
    return scrypt(token.encode(), salt=b"dejafake session", n=2**14, r=8, p=1, dklen=32)


def sessions_of(request: HTTPConnection) -> Sessions:
    """The sessions of the server that answers `request`."""
    sessions: Sessions = request.app.state.sessions
    return sessions


def person_of(request: HTTPConnection) -> Person | None:
    """Who asks; None where nobody gave a name."""
    return sessions_of(request).person(request)


def author_of(request: HTTPConnection) -> str:
    """The name that is kept beside what the one who asks decides."""
    person = person_of(request)
    return SOMEBODY if person is None else person.name


def form_secret(request: HTTPConnection) -> str:
    """The random value behind this browser's form tokens: that of its cookie, else a new one."""
    secret: str | None = getattr(request.state, "form_secret", None)
    if secret is None:
        given = request.cookies.get(FORM_COOKIE, "")
        secret = given if 32 <= len(given) <= 64 and given.isascii() else secrets.token_urlsafe(32)
        request.state.form_secret = secret
    return secret


def form_token(request: HTTPConnection) -> str:
    """The token that a form of this browser carries in its field `csrf`."""
    return _form_token(form_secret(request))


def check_form_token(request: HTTPConnection, given: str | None) -> None:
    """Compares the token of a posted form, or of the header `X-CSRF-Token`, with this browser's.

    Raises:
        HTTPException: 403, it is missing or another.
    """
    expected = request.cookies.get(FORM_COOKIE, "")
    token = given or request.headers.get(CSRF_HEADER, "")
    if not expected or not hmac.compare_digest(token.encode(), _form_token(expected).encode()):
        raise HTTPException(403, "This form is too old, or not from this page: reload the page and send it again.")


def set_form_cookie(request: HTTPConnection, response: Response) -> None:
    """Sets the cookie behind form tokens where the browser has none."""
    if request.cookies.get(FORM_COOKIE) != (secret := form_secret(request)):
        set_cookie(request, response, FORM_COOKIE, secret, FORM_SECONDS)


def set_cookie(
    request: HTTPConnection, response: Response, name: str, value: str, seconds: int, *, strict: bool = False
) -> None:
    """Sets a cookie that scripts cannot read, for the addresses of this server; for https only where the browser uses
    it, which behind a proxy only the Origin of a form tells."""
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=request.scope.get("root_path", "") or "/",
        secure=secure,
        httponly=True,
        samesite="strict" if strict else "lax",
    )


def _form_token(secret: str) -> str:
    return hmac.new(secret.encode(), b"form", sha256).hexdigest()
