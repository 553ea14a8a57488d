"""``rkt run-prepared``: a pod that ``rkt prepare`` has made runs in the foreground (section 1.5)."""

from __future__ import annotations

from rkt.cli.pod_flags import LAUNCH_FLAGS
from rkt.cli.verb import Invocation, Verb
from rkt.errors import RktError, UsageError


class NotPreparedError(RktError):
    """The pod is in another state than prepared."""

    code = "pod-not-prepared"


def execute(invocation: Invocation) -> int:
    from rkt.cli.launch_flags import read_launch_options
    from rkt.pod.directory import open_pod, resolve_uuid
    from rkt.stage0.launch import launch

    flags, settings = invocation.flags, invocation.settings
    if len(invocation.words) != 1:
        raise UsageError("must provide exactly one pod UUID")
    options = read_launch_options(flags, settings)
    pod = open_pod(settings.data, resolve_uuid(settings.data, invocation.words[0]))
    with pod:
        if pod.current_state() != "prepared":
            raise NotPreparedError(f'pod "{pod.uuid}" is not prepared', f'its state is "{pod.state()}"')
        pod.lock_exclusive()
        pod.refresh()
        if pod.phase != "prepared":  # somebody else was quicker
            raise NotPreparedError(f'pod "{pod.uuid}" is not prepared')
        if flags.boolean("interactive") and len(pod.load_manifest().apps) > 1:
            raise UsageError("interactive option only supports pods with one app")
        return launch(pod, options)


VERB = Verb(
    usage="UUID",
    description=(
        'Runs a pod that "rkt prepare" has made, in the foreground. UUID may be shortened to its first characters.\n\n'
        "The exit status is that of the first app that failed, or 0; 254 is a failure of rkt itself."
    ),
    flags=LAUNCH_FLAGS,
    needs_root=True,
    execute=execute,
)
