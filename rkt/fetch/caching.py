"""What a server said about how long its answer stays good (RFC 9111, the few parts that matter for images). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rkt.store.index import RemoteRecord

#: nothing is good for longer without being asked for again, whatever the server says
LONGEST_MAX_AGE_SECONDS = 366 * 24 * 3600

_LONGEST_ETAG = 1024


def parse_max_age(cache_control: str) -> int:
    """Seconds for which an answer may be used without asking; 0 for none, nonsense and ``no-cache``/``no-store``."""
    seconds = 0
    for directive in cache_control.lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name in ("no-cache", "no-store"):
            return 0
        value = value.strip('"')
        if name == "max-age" and value.isascii() and value.isdigit():
            seconds = min(int(value[:12]), LONGEST_MAX_AGE_SECONDS)
    return seconds


def parse_etag(etag: str, *, cache_control: str) -> str:
    """The ETag to remember; "" for one that cannot be sent back or that the server does not want to be stored."""
    if "no-store" in cache_control.lower() or len(etag) > _LONGEST_ETAG or not etag.isprintable():
        return ""
    return etag


def is_fresh(remote: RemoteRecord, *, now: float) -> bool:
    """Whether the download may be used without asking the server. A time in the future is a clock that was changed."""
    return 0 <= now - remote.download_time < remote.max_age
