"""What can go wrong with a pod directory, as errors that a user can read. No I/O here."""

from __future__ import annotations

from rkt.errors import RktError


class PodError(RktError):
    """A pod cannot be created, opened, moved or changed."""

    code = "pod"


class PodNotFoundError(PodError):
    """No phase directory holds such a pod (any more)."""

    code = "pod-not-found"


class UUIDError(PodError):
    """The text does not name exactly one pod."""

    code = "pod-uuid"


class PodLockedError(PodError):
    """Another process owns the pod."""

    code = "pod-locked"


class PodContentError(PodError):
    """A file of the pod is not what it should be: too large, not a regular file, not a number, ..."""

    code = "pod-content"
