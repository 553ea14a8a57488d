"""Go's names for operating system and architecture <-> appc's label values (TYPE-049).

Needed where tools of the original's world speak (discovery defaults, converted images). Not used while running.
"""

from __future__ import annotations

#: (os, Go architecture, Go flavour) -> appc architecture; whatever is not here has the same name in both
_APPC = {
    ("linux", "386", ""): "i386",
    ("linux", "arm64", ""): "aarch64",
    ("linux", "arm", ""): "armv6l",
    ("linux", "arm", "6"): "armv6l",
    ("linux", "arm", "7"): "armv7l",
    ("darwin", "amd64", ""): "x86_64",
    ("darwin", "386", ""): "i386",
    ("freebsd", "386", ""): "i386",
    ("freebsd", "arm", ""): "arm",
    ("freebsd", "arm", "5"): "arm",
    ("freebsd", "arm", "6"): "arm",
    ("freebsd", "arm", "7"): "arm",
}

#: (os, appc architecture) -> (Go architecture, Go flavour)
_GO = {
    ("linux", "amd64"): ("amd64", ""),
    ("linux", "i386"): ("386", ""),
    ("linux", "aarch64"): ("arm64", ""),
    ("linux", "armv6l"): ("arm", "6"),
    ("linux", "armv7l"): ("arm", "7"),
    ("linux", "ppc64"): ("ppc64", ""),
    ("linux", "ppc64le"): ("ppc64le", ""),
    ("linux", "s390x"): ("s390x", ""),
    ("freebsd", "amd64"): ("amd64", ""),
    ("freebsd", "i386"): ("386", ""),
    ("freebsd", "arm"): ("arm", ""),
    ("darwin", "x86_64"): ("amd64", ""),
    ("darwin", "i386"): ("386", ""),
}


def find_appc_arch(*, os: str, go_arch: str, go_flavour: str = "") -> str | None:
    """The value of label ``arch`` for what Go calls ``go_arch``; None when appc has no such platform."""
    from rkt.schema.label import SUPPORTED_OS_ARCH

    arch = _APPC.get((os, go_arch, go_flavour), go_arch)
    return arch if arch in SUPPORTED_OS_ARCH.get(os, ()) else None


def find_go_arch(*, os: str, arch: str) -> tuple[str, str] | None:
    """``(architecture, flavour)`` in Go's words; None when Go has no such platform (``aarch64_be``, ``armv7b``)."""
    return _GO.get((os, arch))
