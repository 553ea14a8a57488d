"""URLs in annotations: absolute, scheme ``http`` or ``https`` (appc aci.md, TYPE-037).

It checks, it does not split or fetch. Written out because ``urllib.parse`` is costly to import and accepts nearly
everything.
"""

from __future__ import annotations

_HEX = frozenset("0123456789abcdefABCDEF")
_DIGITS = frozenset("0123456789")


def find_url_problem(text: str) -> str | None:
    """Why ``text`` is not an ``http`` or ``https`` URL; None when it is."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in ("http", "https"):
        return "must be a URL that starts with http:// or https://"
    if not rest.startswith("//"):
        return "must have // after the scheme"
    if any(character <= " " or character == "\x7f" for character in text):
        return "must not contain blanks or control characters"
    authority = rest[2:]
    for end in "/?#":
        authority = authority.partition(end)[0]
    return _find_authority_problem(authority) or _find_escape_problem(text)


def _find_authority_problem(authority: str) -> str | None:
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        host, bracket, port = host.partition("]")
        if not bracket or (port and not port.startswith(":")):
            return "has a bad host"
        port = port[1:]
    else:
        host, _, port = host.partition(":")
    if not host or any(character in '\\"<>^`{}|' for character in host):
        return "has no host" if not host else "has a bad host"
    return None if _DIGITS.issuperset(port) else "has a bad port"


def _find_escape_problem(text: str) -> str | None:
    for escape in text.split("%")[1:]:
        if len(escape) < 2 or not _HEX.issuperset(escape[:2]):
            return "has a % that two hexadecimal digits do not follow"
    return None
