"""Values of the flags that follow an image: names, users, isolators, annotations (section 1.2.1).

:func:`read_overrides` reads the isolators, the functions before it single values. Quantities are checked here and
handed on as they were written; the store and the image are not looked at.
"""

from __future__ import annotations

from rkt.cli.flags import parse_boolean
from rkt.errors import UsageError
from rkt.schema.names import find_identifier_problem, find_name_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.cli.flags import FlagValues
    from rkt.stage0.request import IsolatorOverrides, SeccompOverride

SMALLEST_MEMORY_BYTES = 4096
CPU_SHARES = range(2, 262145)
OOM_SCORES = range(-1000, 1001)


def parse_app_name(text: str) -> str:
    """``--name``: an AC name. Raises UsageError."""
    if find_name_problem(text) is not None:
        raise UsageError(f'invalid value "{text}" for flag --name: must be lower-case letters, digits and "-"')
    return text


def parse_working_directory(text: str) -> str:
    """``--working-dir``: an absolute path. Raises UsageError."""
    if not text.startswith("/"):
        raise UsageError(f'invalid value "{text}" for flag --working-dir: must be an absolute path')
    return text


def parse_exec(text: str) -> str:
    """``--exec``: one path or name, which may hold blanks. Raises UsageError."""
    if not text:
        raise UsageError("invalid value for flag --exec: the path is empty")
    return text


def parse_owner(text: str, *, flag: str) -> str:
    """``--user``, ``--group``: a number, a name or an absolute path in the image. Raises UsageError."""
    if not text or any(character in text for character in ":\n\0"):
        raise UsageError(f'invalid value "{text}" for flag --{flag}: must be a number, a name or an absolute path')
    return text


def parse_gids(text: str) -> tuple[int, ...]:
    """``--supplementary-gids``: a comma list of numbers. Raises UsageError."""
    words = text.split(",")
    if not all(word.isascii() and word.isdigit() and len(word) <= 10 and int(word) < 2**32 - 1 for word in words):
        raise UsageError(f'invalid value "{text}": --supplementary-gids must be integers')
    return tuple(int(word) for word in words)


def parse_read_only(flags: FlagValues) -> bool:
    """``--readonly-rootfs[=BOOL]``. Raises UsageError."""
    text = flags.text("readonly-rootfs", "false")
    value = parse_boolean(text)
    if value is None:
        raise UsageError(f'invalid value "{text}": --readonly-rootfs must be set with a boolean')
    return value


def parse_annotation(text: str) -> tuple[str, str]:
    """``--annotation``: ``NAME=VALUE`` with an AC identifier as name. Raises UsageError."""
    name, separator, value = text.partition("=")
    if not separator or find_identifier_problem(name) is not None:
        raise UsageError(f'invalid format of --annotation flag "{text}"', "write it as example.com/name=VALUE")
    return name, value


def parse_user_pair(text: str, *, flag: str) -> tuple[str, str]:
    """``--user-annotation``, ``--user-label``: ``KEY=VALUE`` of any text. Raises UsageError."""
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise UsageError(f'invalid value "{text}" for flag --{flag}: must be specified as key=value')
    return key, value


def read_overrides(flags: FlagValues) -> IsolatorOverrides:
    """The isolators among an image's flags. Raises UsageError."""
    from rkt.stage0.request import IsolatorOverrides

    retain = [*flags.texts("caps-retain"), *flags.texts("cap-retain")]
    remove = [*flags.texts("caps-remove"), *flags.texts("cap-remove")]
    if retain and remove:
        raise UsageError("--caps-retain and --caps-remove cannot be used together for one image")
    memory, cpu = flags.find_text("memory"), flags.find_text("cpu")
    shares, score = flags.find_text("cpu-shares"), flags.find_text("oom-score-adj")
    seccomp = flags.find_text("seccomp")
    return IsolatorOverrides(
        memory=None if memory is None else parse_memory(memory),
        cpu=None if cpu is None else parse_cpu(cpu),
        cpu_shares=None if shares is None else parse_integer(shares, CPU_SHARES, flag="cpu-shares"),
        oom_score_adj=None if score is None else parse_integer(score, OOM_SCORES, flag="oom-score-adj"),
        caps_retain=parse_capabilities(retain, flag="caps-retain") if retain else None,
        caps_remove=parse_capabilities(remove, flag="caps-remove") if remove else None,
        seccomp=None if seccomp is None else parse_seccomp(seccomp),
    )


def parse_memory(text: str) -> str:
    """``--memory``: a quantity of at least 4096 bytes. Raises UsageError."""
    amount = _milli(text, flag="memory") // 1000
    if amount < SMALLEST_MEMORY_BYTES:
        raise UsageError(
            f"memory limit of {amount} bytes too low. Try a reasonable value, such as --memory=16M",
        )
    return text


def parse_cpu(text: str) -> str:
    """``--cpu``: a quantity of cores, more than none. Raises UsageError."""
    milli = _milli(text, flag="cpu")
    if milli <= 0:
        raise UsageError(f'invalid value "{text}" for flag --cpu: must be more than 0')
    if milli >= 2**63:
        raise UsageError(f"cpu limit exceeds the maximum millivalue: {text}")
    return text


def parse_integer(text: str, allowed: range, *, flag: str) -> int:
    """A decimal integer inside ``allowed``. Raises UsageError."""
    digits = text.removeprefix("-")
    value = int(text) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    if value is None or value not in allowed:
        raise UsageError(
            f'invalid value "{text}" for flag --{flag}: must be an integer from {allowed[0]} to {allowed[-1]}'
        )
    return value


def parse_capabilities(texts: list[str], *, flag: str) -> tuple[str, ...]:
    """A comma list of capability names; repetitions of the flag add up. Raises UsageError."""
    from rkt.linux.capabilities import NAMES

    names = [name for text in texts for name in text.split(",")]
    for name in names:
        if name not in NAMES:
            raise UsageError(f'invalid value "{name}" for flag --{flag}: no such capability', "write it as CAP_CHOWN")
    return tuple(dict.fromkeys(names))


def parse_seccomp(text: str) -> SeccompOverride:
    """``mode=retain|remove[,errno=ENAME],SYSCALL|@SET[,...]``. Raises UsageError."""
    from rkt.stage0.request import SeccompOverride

    mode: str | None = None
    errno: str | None = None
    names: list[str] = []
    for word in text.split(","):
        key, separator, value = word.partition("=")
        if not separator:
            names.append(word)
        elif key == "mode" and value in ("retain", "remove") and mode is None:
            mode = value
        elif key == "errno" and value[:1] == "E" and value.isalnum() and value == value.upper() and errno is None:
            errno = value
        else:
            raise _bad_seccomp(text, f'cannot use "{word}"')
    if mode is None:
        raise _bad_seccomp(text, "mode=retain or mode=remove is missing")
    if not names or not all(names):
        raise _bad_seccomp(text, "no system call is named")
    return SeccompOverride(retain=mode == "retain", names=tuple(names), errno=errno)


def _bad_seccomp(text: str, why: str) -> UsageError:
    return UsageError(
        f'invalid value "{text}" for flag --seccomp: {why}', "write it as mode=remove,errno=EPERM,mount,umount2"
    )


def _milli(text: str, *, flag: str) -> int:
    """A quantity in thousandths of its unit. Raises UsageError."""
    from rkt.schema.problems import InvalidValueError
    from rkt.schema.quantity import parse_quantity

    try:
        return parse_quantity(text).milli
    except InvalidValueError as error:
        raise UsageError(
            f'invalid value "{text}" for flag --{flag}: {error.reason}', "write it as 16M, 1Gi, 500m"
        ) from None
