"""Volumes of a pod: an empty directory or a directory of the host (appc pods.md, POD-020..032).

Nothing is created or mounted here.
"""

from __future__ import annotations

from rkt.schema.app import MAX_ID
from rkt.schema.json_writer import boolean_text, object_text, string_text
from rkt.schema.names import find_name_problem
from rkt.schema.problems import quoted
from rkt.schema.reading import Members, find_absolute_path_problem, member_names
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON
    from rkt.schema.json_writer import Unknown
    from rkt.schema.reading import Reading

EMPTY, HOST = "empty", "host"
DEFAULT_MODE = 0o755
_MAX_MODE = 0o7777
_OCTAL = frozenset("01234567")
_MEMBERS = member_names("name", "kind", "source", "readOnly", "recursive", "mode", "uid", "gid")


class Volume(Value):
    """``kind`` ``empty``: a new directory with ``mode`` (an int), ``uid``, ``gid``; ``host``: the directory ``source``.

    ``read_only`` and ``recursive`` are None when not given: then the mount point and the stage1 decide. ``mode``,
    ``uid`` and ``gid`` have their defaults for ``empty`` and are None for ``host``.
    """

    __slots__ = ("gid", "kind", "mode", "name", "read_only", "recursive", "source", "uid", "unknown")
    _fields = ("name", "kind", "source", "read_only", "recursive", "mode", "uid", "gid", "unknown")
    name: str
    kind: str
    #: absolute path on the host; empty for ``empty``
    source: str
    read_only: bool | None
    recursive: bool | None
    mode: int | None
    uid: int | None
    gid: int | None
    unknown: Unknown

    def __init__(
        self,
        *,
        name: str,
        kind: str,
        source: str = "",
        read_only: bool | None = None,
        recursive: bool | None = None,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        unknown: Unknown = (),
    ) -> None:
        if kind == EMPTY:
            mode, uid, gid = DEFAULT_MODE if mode is None else mode, uid or 0, gid or 0
        self._freeze(name, kind, source, read_only, recursive, mode, uid, gid, unknown)

    def json_text(self) -> str:
        """The canonical JSON text; an empty volume's mode and owner are spelled out."""
        members = (
            ("name", string_text(self.name)),
            ("kind", string_text(self.kind)),
            ("source", string_text(self.source) if self.source else None),
            ("readOnly", None if self.read_only is None else boolean_text(self.read_only)),
            ("recursive", None if self.recursive is None else boolean_text(self.recursive)),
            ("mode", None if self.mode is None else f'"{self.mode:04o}"'),
            ("uid", None if self.uid is None else str(self.uid)),
            ("gid", None if self.gid is None else str(self.gid)),
        )
        return object_text(members, self.unknown)


def decode_volume(value: JSON, path: str, reading: Reading) -> Volume:
    """The volume object at ``path``."""
    members = Members(value, path, reading, _MEMBERS)
    kind = members.string("kind", _find_kind_problem, required=True)
    source = members.string("source")
    if kind == HOST:
        _check_host(members, source)
    elif kind == EMPTY and source:
        members.report("source", "must be empty for a volume of kind empty")
    mode = members.string("mode", find_mode_problem)
    return Volume(
        name=members.string("name", find_name_problem, required=True),
        kind=kind,
        source=source,
        read_only=members.boolean("readOnly"),
        recursive=members.boolean("recursive"),
        mode=int(mode, 8) if mode and find_mode_problem(mode) is None else None,
        uid=members.integer("uid", low=0, high=MAX_ID),
        gid=members.integer("gid", low=0, high=MAX_ID),
        unknown=members.unknown,
    )


def _check_host(members: Members, source: str) -> None:
    """``source`` is required; what describes a new directory is not allowed."""
    if members.given.get("source") is None:
        members.report("source", "is required for a volume of kind host")
    elif isinstance(members.given["source"], str):
        why = find_absolute_path_problem(source)
        if why is not None:
            members.report("source", why)
    for name in ("mode", "uid", "gid"):
        if members.given.get(name) is not None:
            members.report(name, "is only for volumes of kind empty")


def _find_kind_problem(text: str) -> str | None:
    return None if text in (EMPTY, HOST) else f'must be "{EMPTY}" or "{HOST}", not {quoted(text)}'


def find_mode_problem(text: str) -> str | None:
    """Why ``text`` is not a directory mode in octal (``0755``); None when it is."""
    if not text or not _OCTAL.issuperset(text) or len(text) > 16:
        return "must be an octal number such as 0755"
    return None if int(text, 8) <= _MAX_MODE else "must be at most 07777"
