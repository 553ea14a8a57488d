"""The environment of an app: what its manifest says, and what the executor promises. Pure.

appc ACE-040 to ACE-050; section 1.3 of the behaviour document for the defaults. Nothing of the caller's environment
comes in here: ``--inherit-env`` has put what it takes into the manifest already.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.app import App

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: value of ``container``: the name of the executor (ACE-046)
EXECUTOR = "rkt"

_DEFAULTS = (("PATH", PATH), ("SHELL", "/bin/sh"), ("USER", "root"), ("LOGNAME", "root"), ("HOME", "/root"))


def plan_environment(
    app: App, name: str, *, metadata_url: str | None = None, terminal: str | None = None
) -> tuple[tuple[str, str], ...]:
    """Variables of the app called ``name``, in the order: the manifest's, defaults that are missing, the executor's.

    ``terminal`` is the caller's TERM for an interactive pod.
    """
    variables = {variable.name: variable.value for variable in app.environment}
    for key, value in _DEFAULTS:
        variables.setdefault(key, value)
    if terminal is not None:
        variables.setdefault("TERM", terminal)
    variables["AC_APP_NAME"] = name
    variables["container"] = EXECUTOR
    if metadata_url is not None:
        variables["AC_METADATA_URL"] = metadata_url
    return tuple(variables.items())
