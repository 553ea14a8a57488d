"""``rkt prepare``: as ``run``, up to the moment in which the pod would start; prints the UUID (section 1.4)."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.cli.pod_flags import FETCH_FLAGS, IMAGE_FLAGS, POD_FLAGS
from rkt.cli.verb import Invocation, Verb


def execute(invocation: Invocation) -> int:
    from rkt.cli.output import write_line
    from rkt.cli.pod_request import PodCommandLine

    flags, settings = invocation.flags, invocation.settings
    command = PodCommandLine(flags, invocation.get_apps())

    from rkt.cli.pod_preparation import prepare_from

    with prepare_from(command, settings, settle=True, warn=not flags.boolean("quiet")) as pod:
        pod.move_to("prepared")
        pod.unlock()
        write_line(pod.uuid)
    return 0


VERB = Verb(
    usage="IMAGE [FLAGS OF THE IMAGE] [-- ARGUMENTS [---]] [IMAGE ...]",
    description=(
        "Fetches the images that are not in the store yet, prepares a pod with one app for each of them, and prints "
        'its UUID. "rkt run-prepared UUID" runs it.'
    ),
    flags=(
        *POD_FLAGS,
        *FETCH_FLAGS,
        Flag("quiet", "print no warnings, only the UUID", boolean=True),
        *IMAGE_FLAGS,
    ),
    takes_apps=True,
    needs_root=True,
    execute=execute,
)
