"""The last steps inside the pod: enter the app's root, become its user, give up what it may not have, exec.

Runs in a process that was forked from the pod's init, with every module imported already: nothing of the host is
reachable any more. It never returns to its caller's stack: it ends in execve(2) or in a message through the report
descriptor and exit status 254. Steps that need a right come before the right is given up; the seccomp filter is last.
"""

from __future__ import annotations

import os
import resource
from errno import EACCES, EINVAL, ENOENT

from rkt.errors import NotSupportedError, RktError, reason
from rkt.linux import capabilities, syscalls
from rkt.linux import signals as signal
from rkt.linux.landlock import confine_execution
from rkt.linux.safe_path import open_in_root
from rkt.stage2.identity import get_gid, get_uid
from rkt.stage2.process import AppProcess

#: searched when the app's environment has no PATH (IMG-012: the current directory, then confstr(_CS_PATH))
_CONFSTR_PATH = ":/bin:/usr/bin"
_NOFILE_SOFT = 1024


class LaunchError(RktError):
    """An app's process cannot be started."""

    code = "launch"


def enter_root(directory: str) -> None:
    """Make ``directory`` (a mount) the root of the caller's mount namespace; nothing of the old root is left in it.

    Raises OSError, or NotSupportedError on an initramfs, whose root cannot be left. pivot_root(2) with both arguments
    ``.`` stacks the old root on the new one, where it is unmounted.
    """
    os.chdir(directory)
    try:
        syscalls.pivot_root(".", ".")
    except OSError as error:
        if error.errno != EINVAL:
            raise
        message = f'cannot make "{directory}" a root file system: {reason(error)}'
        raise NotSupportedError(
            message, "the host may run from an initramfs: switch_root to a disk or tmpfs first"
        ) from error
    syscalls.umount2(".", syscalls.MNT_DETACH)
    os.chdir("/")


def run(process: AppProcess) -> None:
    """Become ``process``. Raises :class:`LaunchError` or another RktError if that fails; does not return otherwise."""
    uid, gid = get_uid(process.user), get_gid(process.group)
    _set_oom_score(process.oom_score_adj)
    _reset_inherited_state()
    _enter_working_directory(process)
    environment = dict(process.environment)
    path = find_executable(process, environment)
    _become(process, uid=uid, gid=gid)
    # everything from 3 on is closed by execve; what is open without the flag is a leak of the caller
    syscalls.close_range(3, close_on_exec=True)
    try:
        for program in process.programs:
            syscalls.seccomp_load(program)
        os.execve(path, process.argv, environment)
    except (OSError, ValueError) as error:
        raise LaunchError(
            f'cannot execute "{path}" of app "{process.app}": {reason(error)}{_explain(path, error)}'
        ) from error


def _become(process: AppProcess, *, uid: int, gid: int) -> None:
    """Identity and capabilities; a process that is not root keeps none but its bounding set."""
    try:
        if process.bounding_set is not None:
            if not process.bounding_set & capabilities.SYS_ADMIN:
                # an app that may mount could not under Landlock, and can undo more than this prevents
                confine_execution("/")
            capabilities.limit_bounding_set(process.bounding_set)
        os.setgroups(process.supplementary_gids)
        os.setresgid(gid, gid, gid)
        if (uid != 0 and process.programs) or process.no_new_privileges:
            # a filter without CAP_SYS_ADMIN needs it, and nothing is lost: section 6.2 of the behaviour document
            syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        raise LaunchError(f'cannot become user {uid} for app "{process.app}": {reason(error)}') from error


def _reset_inherited_state() -> None:
    """What the caller of rkt had and an app must not inherit: signals, umask, limits, priority."""
    syscalls.reset_signal_actions()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(0o022)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft > _NOFILE_SOFT:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_NOFILE_SOFT, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    except OSError:
        # raising one's priority needs CAP_SYS_NICE; a lower one is only slower
        pass


def _set_oom_score(wanted: int | None) -> None:
    """Without a wish 0 (section 6.5 of the behaviour document), not the caller's, unless its floor lies above."""
    try:
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, str(wanted or 0).encode())
        finally:
            os.close(fd)
    except OSError as error:
        if wanted is not None:
            raise LaunchError(f"cannot set oom_score_adj to {wanted}: {reason(error)}") from error


def _enter_working_directory(process: AppProcess) -> None:
    """chdir that no descriptor of ours can be tricked into (CVE-2024-21626): magic links of procfs are refused."""
    wanted = process.working_directory or "/"
    try:
        fd = open_in_root("/", wanted, os.O_PATH | os.O_DIRECTORY)
        try:
            os.fchdir(fd)
        finally:
            os.close(fd)
        reachable = os.getcwd().startswith("/")
    except OSError as error:
        message = f'cannot enter working directory "{wanted}" of app "{process.app}": {reason(error)}'
        raise LaunchError(message, "create it in the image or mount a volume there") from error
    if not reachable:
        raise LaunchError(f'cannot enter working directory "{wanted}" of app "{process.app}": it is outside the app')


def find_executable(process: AppProcess, environment: dict[str, str]) -> str:
    """``argv[0]`` as it is if it has a slash, else what it names along the app's PATH (IMG-011 to IMG-013)."""
    name = process.argv[0]
    if "/" in name:
        return name
    search = environment.get("PATH", _CONFSTR_PATH)
    for directory in search.split(":"):
        candidate = f"{directory}/{name}" if directory else f"./{name}"
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise LaunchError(f'cannot execute "{name}" of app "{process.app}": not found in "{search}"')


def _explain(path: str, error: OSError | ValueError) -> str:
    """For a file that exists and yet cannot be found or executed: its interpreter or linker is what is missing."""
    number = error.errno if isinstance(error, OSError) else None
    if number not in (ENOENT, EACCES):
        return ""
    try:
        # a FIFO must not make us wait
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            first = os.read(fd, 256).partition(b"\n")[0]
        finally:
            os.close(fd)
    except OSError:
        return ""
    if first.startswith(b"#!"):
        interpreter = first[2:].split()[:1]
        name = interpreter[0].decode("utf-8", "backslashreplace") if interpreter else ""
        return f' (its interpreter is "{name}")'
    if not first.startswith(b"\x7fELF"):
        return ""
    if number == ENOENT:
        return " (its dynamic linker may be missing)"
    return "" if os.access(path, os.X_OK) else " (it is not executable)"


def report(fd: int, error: BaseException) -> None:
    """Send the one line that explains ``error`` to the pod's init; an unexpected error says its type."""
    if isinstance(error, RktError):
        text = error.message + (f"\nhint: {error.hint}" if error.hint else "")
    else:
        text = f"internal error: {type(error).__name__}: {error}"
    os.write(fd, text.encode("utf-8", "backslashreplace")[:4096])
