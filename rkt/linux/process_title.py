"""The command line that other processes see: overwritten, because a pod's init inherits what the user typed.

``/proc/1/cmdline`` is readable to every app of a pod; the words of ``rkt run`` may hold secrets (``--set-env``).
"""

from __future__ import annotations

_ARG_START, _ARG_END = 47, 48


def set_process_title(title: str) -> None:
    """Replace the caller's command line by ``title``, cut to the room that there is. Without /proc: no effect."""
    import ctypes

    try:
        with open("/proc/self/stat", "rb") as file:
            # the second field is a name in parentheses that may hold blanks
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return
    start, end = int(fields[_ARG_START - 2]), int(fields[_ARG_END - 2])
    if end <= start:
        return
    data = title.encode()[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, data, len(data))
