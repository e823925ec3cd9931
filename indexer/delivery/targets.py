"""Where callbacks may go: public addresses over https, and hosts and ports allowed by the operator."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from indexer.errors import UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
_NUMBER: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.ASCII)
_ALLOWED: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]@]+)(?::(?P<port>[0-9]{1,5}))?")
_NOT_OF_THE_INTERNET: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/3"),
        *("2001::/23", "2001:db8::/32", "3fff::/20"),
    )
)
"""Blocks that are private, shared, local, multicast, reserved or for documentation (IANA's special-purpose registries);
named here because what Python's `is_global` knows of them differs from version to version."""
_NEVER_PUBLIC: Final = re.compile(
    r"[^.]+|.*\.(?:localhost|local|localdomain|internal|intranet|private|lan|corp|home|home\.arpa"
    r"|test|example|invalid|onion|alt)"
)
"""Names that the public name system does not have, now or ever: single labels, and endings that are reserved (RFC 6761,
6762, 7686, 8375, 9476, ICANN's `internal`) or that ICANN will not give to anybody."""
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All that is handed out of IPv6. What lies outside leads into this machine or this network, or nowhere."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR: Final = ipaddress.IPv6Network("2002::/16")


@dataclass(frozen=True, slots=True)
class Target:
    """A callback's address: `host` is a name in ASCII (punycode) form, lower case, or an IP address without brackets;
    `port` as written, or the scheme's default.
    """

    url: httpx.URL
    host: str
    port: int

    @property
    def on_default_port(self) -> bool:
        """Whether the port is the scheme's default."""
        return self.port == _PORTS[self.url.scheme]

    @property
    def literal(self) -> Address | None:
        """The IP address, if the host is one."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def may_be_public(self) -> bool:
        """Whether the host may lead to the internet, as far as can be said without asking for the name."""
        address = self.literal
        return _NEVER_PUBLIC.fullmatch(self.host) is None if address is None else is_public(address)


def target_of(url: str) -> Target:
    """The parts of a callback's address.

    Raises:
        UsageError: it is not an http(s) address, contains a user name, or has a host that programs parse differently.
    """
    try:
        parsed = httpx.URL(url)
        scheme, user, host = parsed.scheme, parsed.userinfo, parsed.raw_host.decode("ascii").lower().rstrip(".")
        _ = parsed.host  # decodes xn--, which may be invalid
        port = parsed.port
    except (httpx.InvalidURL, ValueError):
        raise UsageError("the callback's address is not a web address") from None
    if scheme not in _PORTS or not host or user:
        raise UsageError("a callback goes to an http or https address without a user name")
    if port is not None and not 1 <= port <= 65_535:
        raise UsageError(f"the callback's port is {port}: it must be 1 to 65535")
    target = Target(parsed, host, _PORTS[scheme] if port is None else port)
    if target.literal is not None:
        return Target(parsed, str(target.literal), target.port)
    if ":" in host or not _NAME.fullmatch(host):
        raise UsageError("the callback's address is not a web address: its host is neither a name nor an IP address")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise UsageError("the callback's host is a number: write an IP address as four decimal numbers, or a name")
    return target


class AllowedHosts:
    """The hosts that callbacks may go to even if they are private or use plain http: `host` on ports 80 (http) and 443
    (https), `host:port` on that port only.

    Raises:
        UsageError: an entry is neither.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._allowed = frozenset(map(_allowed, entries))

    def cover(self, target: Target) -> bool:
        """Whether the operator allowed this host on this port."""
        return (target.host, target.port) in self._allowed or (
            target.on_default_port and (target.host, None) in self._allowed
        )


def _allowed(entry: str) -> tuple[str, int | None]:
    text = f"[{entry}]" if entry.count(":") > 1 and not entry.startswith("[") else entry
    match = _ALLOWED.fullmatch(text)
    try:
        port = None if match is None or match["port"] is None else int(match["port"])
        host = None if match is None else target_of(f"https://{match['host']}/").host
    except UsageError:
        host = None
    if host is None or (port is not None and port not in range(1, 65_536)):
        raise UsageError(
            f"DEJAFAKE_CALLBACK_HOSTS: {entry!r} is neither a host nor host:port: write it without https:// and path"
        )
    return host, port


def resolved(target: Target, *, trusted: bool) -> Sequence[Address]:
    """The addresses of the host, at least one.

    Raises:
        OSError: it cannot be resolved, or one of them is not public and it is not trusted.
        ValueError: it is not a name that can be resolved.
    """
    records = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in records]
    if not trusted and not all(map(is_public, addresses)):
        raise OSError("the host has an address that is not public; DEJAFAKE_CALLBACK_HOSTS does not name it")
    return addresses


def is_public(address: Address) -> bool:
    """Whether an address is publicly routable. An IPv6 address that embeds an IPv4 address is, if the embedded one
    is.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inside(address)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_UNICAST:
            return False
    listed = any(address in network for network in _NOT_OF_THE_INTERNET)
    return not listed and address.is_global and not address.is_multicast


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address embedded in an IPv6 address: mapped, NAT64's well-known prefix, or 6to4. Teredo, IPv4-compatible
    addresses and a network's own NAT64 prefix do not count as public.
    """
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour if address in _SIX_TO_FOUR else None
