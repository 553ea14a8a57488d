"""The one-line forms of volumes, mount points and app references: ``NAME,key=value,...``.

Values are taken literally; a comma cannot be written in one. Which command takes which form is not decided here.
"""

from __future__ import annotations

from rkt.schema.app import MountPoint
from rkt.schema.names import find_identifier_problem, find_name_problem
from rkt.schema.problems import InvalidValueError
from rkt.schema.reading import Reading
from rkt.schema.volume import DEFAULT_MODE, EMPTY, Volume, decode_volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from rkt.schema.json_reader import JSON

_VOLUME_KEYS = ("kind", "source", "readOnly", "recursive", "mode", "uid", "gid")
_MAX_DIGITS = 10


def parse_pairs(text: str, *, kind: str, whole: str | None = None) -> list[tuple[str, str]]:
    """``key=value,key=value`` as pairs, in order; messages name ``kind`` and the ``whole`` text it is a part of."""
    pairs = []
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise InvalidValueError(kind, whole or text, f'"{part}" must have the form KEY=VALUE')
        pairs.append((key, value))
    return pairs


def _parse_named(text: str, *, kind: str, keys: Collection[str]) -> tuple[str, dict[str, str]]:
    """``NAME,key=value,...`` with an AC Name and each of ``keys`` at most once."""
    name, comma, rest = text.partition(",")
    why = find_name_problem(name)
    if why is not None:
        raise InvalidValueError(kind, text, f'the name "{name}" {why}')
    values: dict[str, str] = {}
    for key, value in parse_pairs(rest, kind=kind, whole=text) if comma else ():
        if key not in keys:
            raise InvalidValueError(kind, text, f'unknown parameter "{key}"', f"known are: {', '.join(keys)}")
        if key in values:
            raise InvalidValueError(kind, text, f'"{key}" is given more than once')
        values[key] = value
    return name, values


def _parse_boolean(text: str, value: str, *, kind: str, key: str) -> bool:
    if value not in ("true", "false"):
        raise InvalidValueError(kind, text, f'"{key}" must be true or false')
    return value == "true"


def parse_volume(text: str) -> Volume:
    """``NAME,kind=host,source=/path[,readOnly=B][,recursive=B]`` or ``NAME,kind=empty[,mode=0755][,uid=N][,gid=N]``.

    Raises :class:`InvalidValueError`.
    """
    name, values = _parse_named(text, kind="volume", keys=_VOLUME_KEYS)
    members: dict[str, JSON] = {"name": name, **values}
    for key in ("readOnly", "recursive"):
        if key in values:
            members[key] = _parse_boolean(text, values[key], kind="volume", key=key)
    for key in ("uid", "gid"):
        if key in values:
            digits = values[key]
            if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
                raise InvalidValueError("volume", text, f'"{key}" must be a number')
            members[key] = int(digits)
    reading = Reading("volume")
    volume = decode_volume(members, "", reading)
    for problem in reading.problems:
        raise InvalidValueError("volume", text, f"{problem.path} {problem.message}")
    return volume


def volume_text(volume: Volume) -> str:
    """The one-line form of ``volume``; the defaults of an empty one are left out."""
    parts = [volume.name, f"kind={volume.kind}"]
    if volume.source:
        parts.append(f"source={volume.source}")
    for key, flag in (("readOnly", volume.read_only), ("recursive", volume.recursive)):
        if flag is not None:
            parts.append(f"{key}={'true' if flag else 'false'}")
    if volume.kind == EMPTY:
        if volume.mode is not None and volume.mode != DEFAULT_MODE:
            parts.append(f"mode={volume.mode:04o}")
        parts += [f"{key}={number}" for key, number in (("uid", volume.uid), ("gid", volume.gid)) if number]
    return ",".join(parts)


def parse_mount_point(text: str) -> MountPoint:
    """``NAME,path=/path[,readOnly=B]``; raises :class:`InvalidValueError`."""
    name, values = _parse_named(text, kind="mount point", keys=("path", "readOnly"))
    path = values.get("path", "")
    if not path:
        raise InvalidValueError("mount point", text, '"path" is required')
    read_only = _parse_boolean(text, values.get("readOnly", "false"), kind="mount point", key="readOnly")
    return MountPoint(name=name, path=path, read_only=read_only)


def parse_app_reference(text: str) -> tuple[str, dict[str, str]]:
    """``NAME[:VERSION][,label=value]...`` as image name and labels (DISC-034); raises :class:`InvalidValueError`.

    Only the name may be followed by a colon; no label may be given twice, the version included.
    """
    kind = "image reference"
    head, comma, rest = text.partition(",")
    name, colon, version = head.partition(":")
    why = find_identifier_problem(name)
    if why is not None:
        raise InvalidValueError(kind, text, f'the name "{name}" {why}')
    if ":" in version or ":" in rest:
        raise InvalidValueError(kind, text, "only one colon is allowed, after the name")
    labels = {"version": version} if colon else {}
    for label, value in parse_pairs(rest, kind=kind, whole=text) if comma else ():
        why = find_identifier_problem(label)
        if why is not None:
            raise InvalidValueError(kind, text, f'the label "{label}" {why}')
        if label in labels:
            raise InvalidValueError(kind, text, f'the label "{label}" is given more than once')
        labels[label] = value
    return name, labels
