"""``rkt run``: images -> a prepared pod -> the pod runs in the foreground; its exit status is rkt's (section 1.3)."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.cli.pod_flags import FETCH_FLAGS, IMAGE_FLAGS, LAUNCH_FLAGS, POD_FLAGS
from rkt.cli.verb import Invocation, Verb


def execute(invocation: Invocation) -> int:
    from rkt.cli.launch_flags import read_launch_options
    from rkt.cli.pod_request import PodCommandLine

    flags, settings = invocation.flags, invocation.settings
    command = PodCommandLine(flags, invocation.get_apps())
    options = read_launch_options(flags, settings)

    from rkt.cli.pod_preparation import prepare_from
    from rkt.stage0.launch import launch

    uuid_file = flags.find_text("uuid-file-save")
    with prepare_from(command, settings, settle=False, uuid_file=uuid_file) as pod:
        return launch(pod, options)


VERB = Verb(
    usage="IMAGE [FLAGS OF THE IMAGE] [-- ARGUMENTS [---]] [IMAGE ...]",
    description=(
        "Fetches the images that are not in the store yet, prepares a pod with one app for each of them, and runs it "
        "in the foreground. IMAGE is an image ID or the beginning of one, a file, a URL, or a name.\n\n"
        "Words after -- are handed to the app; --- ends them, so that another image can follow.\n\n"
        "The exit status is that of the first app that failed, or 0; 254 is a failure of rkt itself."
    ),
    flags=(
        *POD_FLAGS,
        *FETCH_FLAGS,
        *LAUNCH_FLAGS,
        Flag("uuid-file-save", "write the pod's UUID to this file before it starts"),
        *IMAGE_FLAGS,
    ),
    takes_apps=True,
    needs_root=True,
    execute=execute,
)
