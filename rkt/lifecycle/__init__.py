"""Verbs on pods that lie on disk: list, status, stop, rm, gc."""
