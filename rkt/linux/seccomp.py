"""Seccomp programs: compiled by libseccomp, kept on disk, loaded in a third of a millisecond.

Which calls a filter names is decided by the caller (:mod:`rkt.stage1.syscall_sets`); BPF is written by libseccomp and
never by hand. The library is loaded with ctypes only when a program is not yet in the cache. seccomp(2),
seccomp_rule_add(3), seccomp_export_bpf(3).
"""

from __future__ import annotations

import os
from stat import S_ISREG

from rkt.errors import NotSupportedError, RktError, reason
from rkt.linux import durable

TYPE_CHECKING = False  # typing costs 15 ms at import; type checkers know this name
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000


def errno_action(number: int) -> int:
    """The action that makes a call fail with ``number``."""
    return 0x00050000 | number


class Compare:
    """A condition on one argument of a call: ``value`` after ``& mask``; or with ``at_least`` a 64-bit comparison."""

    __slots__ = ("argument", "at_least", "mask", "value")

    def __init__(self, argument: int, value: int, *, mask: int = 0xFFFFFFFF, at_least: bool = False) -> None:
        self.argument, self.value, self.mask, self.at_least = argument, value, mask, at_least


class Rule:
    """``action`` for ``call`` (a name, or a number that an old libseccomp cannot name) when every condition holds."""

    __slots__ = ("action", "call", "conditions")

    def __init__(self, call: str | int, action: int, *conditions: Compare) -> None:
        self.call, self.action, self.conditions = call, action, conditions


class Filter:
    """A program in words: ``default`` action, ``foreign`` action for i386 and x32 calls, and rules."""

    __slots__ = ("default", "foreign", "rules")

    def __init__(self, *, default: int, foreign: int, rules: tuple[Rule, ...]) -> None:
        self.default, self.foreign, self.rules = default, foreign, rules


class SeccompError(RktError):
    """A filter cannot be compiled."""

    code = "seccomp"


def load_programs(cache: str, name: str, plan_filters: Callable[[], tuple[Filter, ...]]) -> tuple[bytes, ...]:
    """The compiled programs called ``name``, from ``cache`` (a directory) or compiled now and kept there.

    ``plan_filters`` is called without arguments when they must be compiled and returns a tuple of :class:`Filter`. A
    cache that cannot be written costs time, not safety. ``name`` must change when the filters do.
    """
    path = f"{cache}/{name}.bpf"
    cached = _load_cached(path)
    if cached is not None:
        return cached
    programs = tuple(compile_filter(filter_) for filter_ in plan_filters())
    data = b"".join(len(code).to_bytes(4, "little") + code for code in programs)
    try:
        durable.make_directories(cache, mode=0o700)
        durable.write_file(path, _checksum(data) + data, mode=0o600)
    except OSError:
        pass
    return programs


def _load_cached(path: str) -> tuple[bytes, ...] | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(fd)
        trusted = status.st_uid == 0 and not status.st_mode & 0o022 and status.st_size <= 1 << 20
        if not S_ISREG(status.st_mode) or not trusted:
            return None
        data = os.read(fd, status.st_size)
    finally:
        os.close(fd)
    if data[:8] != _checksum(data[8:]):
        return None
    data = data[8:]
    programs = []
    while data:
        length = int.from_bytes(data[:4], "little")
        if not 0 < length <= len(data) - 4 or length % 8:
            return None
        programs.append(data[4 : 4 + length])
        data = data[4 + length :]
    return tuple(programs) or None


def _checksum(data: bytes) -> bytes:
    """Against a damaged disk, not an attacker: a remainder modulo a prime, because a module for it costs more."""
    return (int.from_bytes(data, "little") % ((1 << 61) - 1)).to_bytes(8, "little")


_ATTRIBUTE_BAD_ARCHITECTURE = 2
_ATTRIBUTE_OPTIMIZE = 8
_OPERATOR_GREATER_OR_EQUAL = 5
_OPERATOR_MASKED_EQUAL = 7
_UNKNOWN_CALL = -1


def compile_filter(filter_: Filter) -> bytes:
    """BPF instructions (8 bytes each) of a filter. Calls that this libseccomp does not know are left to the default.

    Raises NotSupportedError where the library is missing, :class:`SeccompError` where it refuses a rule.
    """
    library = _open_library()
    context = library.seccomp_init(filter_.default)
    if not context:
        raise SeccompError("cannot compile a seccomp filter: libseccomp refuses the default action")
    try:
        library.seccomp_attr_set(context, _ATTRIBUTE_BAD_ARCHITECTURE, filter_.foreign)
        # a binary tree instead of a list of comparisons; libseccomp before 2.5 does not have it and says so
        library.seccomp_attr_set(context, _ATTRIBUTE_OPTIMIZE, 2)
        for rule in filter_.rules:
            _add_rule(library, context, rule, default=filter_.default)
        return _export(library, context)
    finally:
        library.seccomp_release(context)


def _open_library() -> Any:
    import ctypes

    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError as error:
        raise NotSupportedError(
            f"cannot compile a seccomp filter: {reason(error)}",
            "install libseccomp2, or switch the filter off with --insecure-options=seccomp",
        ) from error
    pointer, number, word = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32
    library.seccomp_init.restype, library.seccomp_init.argtypes = pointer, (word,)
    library.seccomp_release.restype, library.seccomp_release.argtypes = None, (pointer,)
    library.seccomp_attr_set.argtypes = (pointer, number, word)
    library.seccomp_rule_add_array.argtypes = (pointer, word, number, ctypes.c_uint, pointer)
    library.seccomp_export_bpf.argtypes = (pointer, number)
    return library


def _add_rule(library: Any, context: Any, rule: Rule, *, default: int) -> None:
    """seccomp_rule_add_array(3); struct scmp_arg_cmp is (unsigned argument, int operator, two 64-bit values)."""
    import ctypes
    import struct

    call = rule.call
    number = call if isinstance(call, int) else library.seccomp_syscall_resolve_name(call.encode())
    if number == _UNKNOWN_CALL or rule.action == default:
        return
    packed = b"".join(
        struct.pack("=IiQQ", item.argument, _OPERATOR_GREATER_OR_EQUAL, item.value, 0)
        if item.at_least
        else struct.pack("=IiQQ", item.argument, _OPERATOR_MASKED_EQUAL, item.mask, item.value)
        for item in rule.conditions
    )
    conditions = ctypes.create_string_buffer(packed, len(packed) or 1)
    status = library.seccomp_rule_add_array(context, rule.action, number, len(rule.conditions), conditions)
    if status != 0:
        raise SeccompError(f'cannot compile the seccomp rule for "{call}": {os.strerror(-status)}')


def _export(library: Any, context: Any) -> bytes:
    fd = os.memfd_create("seccomp", os.MFD_CLOEXEC)
    try:
        status = library.seccomp_export_bpf(context, fd)
        if status != 0:
            raise SeccompError(f"cannot export a seccomp filter: {os.strerror(-status)}")
        return os.pread(fd, os.fstat(fd).st_size, 0)
    finally:
        os.close(fd)
