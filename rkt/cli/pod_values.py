"""Values of the flags that describe a pod: volumes, mounts, ports, environment (section 1.2.1).

Text becomes schema values; whether volumes and mounts fit together is for :mod:`rkt.stage0.manifest`.
"""

from __future__ import annotations

from rkt.cli.flags import parse_boolean
from rkt.errors import RktError, UsageError, reason
from rkt.schema.names import find_environment_name_problem, find_name_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rkt.schema.pod import ExposedPort, Mount
    from rkt.schema.volume import Volume

_KINDS = ("host", "empty")
_VOLUME_KEYS = {"host": ("source", "readOnly", "recursive"), "empty": ("readOnly", "mode", "uid", "gid")}
#: an environment file larger than this is a mistake
_ENVIRONMENT_FILE_LIMIT = 1 << 20


def parse_volume(text: str) -> Volume:
    """``NAME,kind=host,source=/path[,readOnly=][,recursive=]``, ``NAME,kind=empty[,mode=][,uid=][,gid=][,readOnly=]``,
    or rkt 0.2's ``NAME:/path``, which is a volume of kind host. Raises UsageError.
    """
    from rkt.schema.volume import Volume

    if ":" in text.partition(",")[0]:
        text = _modern_volume(text)
    pairs = _parse_pairs("volume", f"name={text}")
    name = _ac_name(pairs.pop("name"), flag="volume", text=text)
    kind = pairs.pop("kind", None)
    if kind not in _KINDS:
        raise _bad("volume", text, f'kind must be host or empty, not "{kind or ""}"')
    for key in pairs:
        if key not in (*_VOLUME_KEYS["host"], *_VOLUME_KEYS["empty"]):
            raise _bad("volume", text, f'unknown volume parameter "{key}"')
        if key not in _VOLUME_KEYS[kind]:
            raise _bad("volume", text, f'"{key}" is not for volumes of kind {kind}')
    read_only = _find_boolean(pairs, "readOnly", text)
    if kind == "host":
        source = pairs.get("source", "")
        if not source.startswith("/"):
            raise _bad("volume", text, "source must be an absolute path")
        return Volume(
            name=name, kind=kind, source=source, read_only=read_only, recursive=_find_boolean(pairs, "recursive", text)
        )
    return Volume(
        name=name,
        kind=kind,
        read_only=read_only,
        mode=_mode(pairs.get("mode", "0755"), text),
        uid=_id(pairs.get("uid", "0"), text),
        gid=_id(pairs.get("gid", "0"), text),
    )


def parse_mount(text: str) -> Mount:
    """``volume=NAME,target=/path``. Raises UsageError."""
    from rkt.schema.pod import Mount

    pairs = _parse_pairs("mount", text)
    for key in pairs:
        if key not in ("volume", "target"):
            raise _bad("mount", text, f'unknown mount parameter "{key}"')
    if "volume" not in pairs:
        raise _bad("mount", text, "missing volume= parameter")
    if find_name_problem(pairs["volume"]) is not None:
        raise UsageError(f'invalid volume name "{pairs["volume"]}" in --mount flag "{text}"')
    target = pairs.get("target", "")
    if not target:
        raise _bad("mount", text, "missing target= parameter")
    if not target.startswith("/"):
        raise _bad("mount", text, "target must be an absolute path")
    return Mount(volume=pairs["volume"], path=target)


def parse_port(text: str) -> ExposedPort:
    """``NAME:HOSTPORT`` or ``NAME:HOSTIP:HOSTPORT``. Raises UsageError."""
    from rkt.schema.pod import ExposedPort

    name, separator, rest = text.partition(":")
    address, has_address, number = rest.rpartition(":")
    if not separator or (has_address and not address):
        raise _bad_port(f'"{text}" is not in name:[ip:]port format')
    if find_name_problem(name) is not None:
        raise _bad_port(f'"{name}" is not a valid port name')
    if has_address and not _is_ipv4(address):
        raise _bad_port(f'"{address}" is not a valid IP')
    if not (number.isascii() and number.isdigit() and len(number) <= 5 and 1 <= int(number) <= 65535):
        raise _bad_port(f'"{number}" is not a valid port number')
    return ExposedPort(name=name, host_port=int(number), host_ip=address)


def parse_pairs_once(texts: Iterable[str], *, flag: str) -> tuple[tuple[str, str], ...]:
    """``KEY=VALUE`` of an environment flag, each key once. Raises UsageError."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, value = parse_environment(text, flag=flag)
        if key in pairs:
            raise UsageError(f'invalid value "{text}" for flag --{flag}: key "{key}" already set')
        pairs[key] = value
    return tuple(pairs.items())


def parse_environment(text: str, *, flag: str) -> tuple[str, str]:
    """``KEY=VALUE`` with a key that appc allows as an environment variable's name. Raises UsageError."""
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise UsageError(f'invalid value "{text}" for flag --{flag}: must be specified as key=value')
    if find_environment_name_problem(key) is not None:
        raise UsageError(f'invalid value "{text}" for flag --{flag}: "{key}" is not a valid variable name')
    return key, value


def load_environment_files(paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The variables of ``--set-env-file`` files: one ``NAME=VALUE`` a line, ``#`` and ``;`` begin comments.

    Raises UsageError with the file's name: unreadable, not text, a bad line, a name that is already set.
    """
    pairs: dict[str, str] = {}
    for path in paths:
        for number, line in enumerate(_read_lines(path), start=1):
            line = line.strip()
            if not line or line[0] in "#;":
                continue
            name, separator, value = line.partition("=")
            if not separator or find_environment_name_problem(name) is not None:
                raise UsageError(
                    f'environment variable must be specified as name=value (file "{path}")', f"see line {number}"
                )
            if name in pairs:
                raise UsageError(f'environment variable "{name}" already set (file "{path}")')
            pairs[name] = value
    return tuple(pairs.items())


def _parse_pairs(flag: str, text: str) -> dict[str, str]:
    """A comma list of ``key=value``, each key once. Values are taken as they are; a comma cannot be in one."""
    pairs: dict[str, str] = {}
    for element in text.split(","):
        key, separator, value = element.partition("=")
        if not separator:
            raise _bad(flag, text, f'malformed string "{text}" - has a label without a value: {element}')
        if key in pairs:
            raise _bad(flag, text, f"label {key} with multiple values [{pairs[key]} {value}]")
        pairs[key] = value
    return pairs


def _modern_volume(text: str) -> str:
    name, _, path = text.partition(":")
    if not name or ":" in path or "," in path:
        raise _bad("volume", text, "must be NAME:PATH or NAME,kind=KIND,...")
    return f"{name},kind=host,source={path}"


def _ac_name(name: str, *, flag: str, text: str) -> str:
    if find_name_problem(name) is not None:
        raise _bad(flag, text, f'invalid volume name "{name}": must be lower-case letters, digits and "-"')
    return name


def _find_boolean(pairs: dict[str, str], key: str, text: str) -> bool | None:
    if key not in pairs:
        return None
    value = parse_boolean(pairs[key])
    if value is None:
        raise _bad("volume", text, f"{key} must be true or false")
    return value


def _mode(digits: str, text: str) -> int:
    if not digits or not set(digits) <= set("01234567") or int(digits, 8) > 0o7777:
        raise _bad("volume", text, f'"{digits}" is not an octal mode')
    return int(digits, 8)


def _id(digits: str, text: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(digits) < 2**32 - 1):
        raise _bad("volume", text, f'"{digits}" is not a numeric user or group ID')
    return int(digits)


def _is_ipv4(text: str) -> bool:
    """A dotted quad, the only form that a pod manifest takes (POD-039)."""
    import _socket  # the module behind socket: without the milliseconds that its enums take

    try:
        _socket.inet_pton(_socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def _read_lines(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            data = file.read(_ENVIRONMENT_FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f'read environment file "{path}": {reason(error)}') from error
    if len(data) > _ENVIRONMENT_FILE_LIMIT or b"\0" in data:
        raise UsageError(f'read environment file "{path}": it is not a file of NAME=VALUE lines')
    try:
        return data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f'read environment file "{path}": it is not valid UTF-8') from error


def _bad_port(why: str) -> RktError:
    return UsageError(f"invalid value for flag --port: {why}")


def _bad(flag: str, text: str, why: str) -> RktError:
    return UsageError(f'invalid value in --{flag} flag "{text}": {why}')
