"""Which extended attributes an image may carry, for building and for rendering alike.

``user.*``, file capabilities and POSIX ACLs are part of an image. Everything else belongs to the host that the file
lies on: labels of security modules, IMA and EVM values, and above all ``trusted.overlay.*``, by which an image could
steer the overlay file system that its tree becomes a layer of.
"""

from __future__ import annotations

CAPABILITY = b"security.capability"
ACCESS_ACL = b"system.posix_acl_access"
DEFAULT_ACL = b"system.posix_acl_default"


def is_portable(name: bytes) -> bool:
    """Whether an extended attribute travels with an image."""
    return name.startswith(b"user.") or name in (CAPABILITY, ACCESS_ACL, DEFAULT_ACL)
