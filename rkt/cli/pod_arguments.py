"""UUID arguments of the verbs on pods: words, or the file that ``--uuid-file-save`` wrote."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.errors import RktError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.cli.verb import Invocation

UUID_FILE = Flag("uuid-file", "read the pod's UUID from this file")


class UuidFileError(RktError):
    """The file of ``--uuid-file`` cannot be used; its exit status is one of the few that are not 254 (section 1.1)."""

    code = "uuid-file"
    exit_status = 1


def read_uuids(invocation: Invocation) -> list[str]:
    """The UUIDs, or beginnings of them, that a command line names: at least one. Raises UsageError, UuidFileError."""
    path = invocation.flags.find_text("uuid-file")
    if path is None:
        if not invocation.words:
            raise UsageError("must provide at least one pod UUID")
        return invocation.words
    if invocation.words:
        raise UsageError("--uuid-file and pod UUIDs cannot be used together")
    from rkt.pod.errors import UUIDError
    from rkt.pod.uuid import load_uuid_file

    try:
        return [load_uuid_file(path)]
    except UUIDError as error:
        raise UuidFileError(error.message, error.hint) from error


def read_uuid(invocation: Invocation) -> str:
    """The one UUID of a verb that takes exactly one. Raises UsageError, UuidFileError."""
    if len(invocation.words) > 1:
        raise UsageError("must provide exactly one pod UUID")
    return read_uuids(invocation)[0]
