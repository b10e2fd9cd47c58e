"""Connect to addresses of the public internet only."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052


class AddressRefused(OSError):
    """A host's address is private, loopback, link-local or otherwise special."""

    def __init__(self) -> None:
        # The text holds no address: aiohttp raises the first error itself only where all errors are equal.
        super().__init__(errno.EACCES, "its address is not on the public internet")


def is_public(address: str) -> bool:
    """Whether an IPv4 or IPv6 address, in text, belongs to the public internet.

    An IPv6 address that embeds an IPv4 address (mapped, 6to4, Teredo, NAT64) counts as that one.
    Source: the special-purpose registries of IANA, RFC 6890, as `ipaddress` has them.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in NAT64:
            embedded.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        inner = [each for each in embedded if each is not None]
        if inner:
            return all(is_public(str(each)) for each in inner)
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def public_socket(info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
    """A socket for one resolved address.

    aiohttp calls this for each connection, with the address it connects to. So a redirect, a name that resolves
    differently the second time, or an address written as a number cannot bypass the check.

    Raises:
        AddressRefused: the address is not public.
    """
    family, kind, protocol, _, address = info
    if not is_public(address[0]):
        raise AddressRefused
    return socket.socket(family, kind, protocol)
