"""The states of a pod: a table over (phase directory, exclusively locked or not), and which phase may follow which.

Pure. Where a directory lies and whether it is locked is found out by :mod:`rkt.pod.directory`. Facts: rkt 1.30,
section 2.4 of the behaviour document.
"""

from __future__ import annotations

from rkt.paths import POD_PHASES

EMBRYO = "embryo"
PREPARING = "preparing"
ABORTED_PREPARE = "aborted prepare"
PREPARED = "prepared"
RUNNING = "running"
EXITED = "exited"
EXITED_DELETING = "exited deleting"
EXITED_GARBAGE = "exited garbage"
DELETING = "deleting"
GARBAGE = "garbage"

#: phase directory -> (state while exclusively locked, state while not)
_STATES = {
    "embryo": (EMBRYO, EMBRYO),
    "prepare": (PREPARING, ABORTED_PREPARE),
    "prepared": (PREPARED, PREPARED),
    "run": (RUNNING, EXITED),
    "exited-garbage": (EXITED_DELETING, EXITED_GARBAGE),
    "garbage": (DELETING, GARBAGE),
}

#: phases in which the lock does not change the state, so that readers leave it alone
LOCK_NOT_EXAMINED = ("embryo", "prepared")

#: phases whose pods a user can name and list
ADDRESSABLE_PHASES = ("prepare", "prepared", "run", "exited-garbage")

#: nothing of the pod runs or will run
FINISHED_STATES = (ABORTED_PREPARE, EXITED, EXITED_DELETING, EXITED_GARBAGE, DELETING, GARBAGE)

#: the pod has been started at some time
STARTED_STATES = (RUNNING, EXITED, EXITED_DELETING, EXITED_GARBAGE, DELETING)

_FOLLOWERS = {
    "embryo": ("prepare", "garbage"),
    "prepare": ("prepared", "run", "garbage"),
    "prepared": ("run", "garbage"),
    "run": ("exited-garbage",),
    "exited-garbage": ("garbage",),
    "garbage": (),
}


def state_of(phase: str, *, locked: bool) -> str:
    """The state of a pod that lies in ``phase``."""
    active, passive = _STATES[phase]
    return active if locked else passive


def may_follow(phase: str, *, target: str) -> bool:
    """Whether a pod may move from ``phase`` to ``target``. Pods only ever move forwards."""
    return target in _FOLLOWERS[phase]


def phases_from(phase: str) -> tuple[str, ...]:
    """``phase`` and those after it, in the order in which a pod passes them."""
    return POD_PHASES[POD_PHASES.index(phase) :]
