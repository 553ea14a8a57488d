"""What the stages hand each other: names of files, descriptors, variables and annotations, and the argument vector.

This is the one page that the author of a foreign stage1 must read, together with ``docs/stage-contract.md``. A
stage1 is an ACI; its manifest's annotations name executables in its root file system. They are started with the
pod directory as current directory and keep the pod's lock open for as long as the pod lives.

Facts: rkt 1.30, sections 2.5 and 3.1 of the behaviour document. No I/O here.
"""

from __future__ import annotations

# --- annotations of a stage1 image -------------------------------------------------------------------------------
RUN = "coreos.com/rkt/stage1/run"
ENTER = "coreos.com/rkt/stage1/enter"
GC = "coreos.com/rkt/stage1/gc"
STOP = "coreos.com/rkt/stage1/stop"
INTERFACE_VERSION = "coreos.com/rkt/stage1/interface-version"
#: what the built-in flavours implement
IMPLEMENTED_INTERFACE = 6

# --- annotations of a pod manifest -------------------------------------------------------------------------------
MUTABLE = "coreos.com/rkt/stage1/mutable"

# --- environment -------------------------------------------------------------------------------------------------
LOCK_FD = "RKT_LOCK_FD"

# --- files in the pod directory ----------------------------------------------------------------------------------
POD_MANIFEST = "pod"
POD_CREATED = "pod-created"
OVERLAY_PREPARED = "overlay-prepared"
STAGE1_TREE = "stage1TreeStoreID"
PID = "pid"
PPID = "ppid"
SUBCGROUP = "subcgroup"
NETNS = "netns"
NET_INFO = "net-info.json"
FLAVOR = "flavor"
SHARED_VOLUMES = "sharedVolumes"
STAGE1_MANIFEST = "stage1/manifest"
STAGE1_ROOTFS = "stage1/rootfs"
#: the pod manifest under its name of rkt 0.2, a link
CONTAINER = "container"

# --- files in the stage1 root file system ------------------------------------------------------------------------
STATUS = "rkt/status"
SUPERVISOR_STATUS = "rkt/supervisor-status"
READY = "ready"
STAGE2 = "opt/stage2"

#: the flavour that is used unless another is asked for
DEFAULT_FLAVOR = "native"


def app_info(app: str) -> str:
    """Directory of an app's image manifest and tree ID, in the pod directory."""
    return f"appsinfo/{app}"


def app_rootfs(app: str) -> str:
    """Where an app's root file system is mounted or rendered, in the pod directory."""
    return f"{STAGE1_ROOTFS}/{STAGE2}/{app}/rootfs"


def app_status(app: str) -> str:
    """The file with an app's exit status (decimal, newline), in the pod directory."""
    return f"{STAGE1_ROOTFS}/{STATUS}/{app}"


def overlay_directories(tree_id: str, app: str) -> tuple[str, str]:
    """(upper, work) of an app's overlay, in the pod directory."""
    return (f"overlay/{tree_id}/upper/{app}", f"overlay/{tree_id}/work/{app}")


#: words of ``RunArguments.insecure`` -> flag of the argument vector (interface version 3)
INSECURE_FLAGS = {
    "capabilities": "--disable-capabilities-restriction",
    "paths": "--disable-paths",
    "seccomp": "--disable-seccomp",
}


class RunArguments:
    """The options of the ``run`` entrypoint; ``net`` is the words of ``--net``, ``insecure`` what is switched off."""

    __slots__ = ("debug", "hostname", "insecure", "interactive", "ipc", "local_config", "net", "uuid")

    def __init__(
        self,
        uuid: str,
        *,
        net: str = "none",
        interactive: bool = False,
        hostname: str | None = None,
        ipc: str | None = None,
        insecure: frozenset[str] = frozenset(),
        debug: bool = False,
        local_config: str | None = None,
    ) -> None:
        self.uuid = uuid
        self.net = net
        self.interactive = interactive
        self.hostname = hostname
        self.ipc = ipc
        self.insecure = insecure
        self.debug = debug
        self.local_config = local_config

    def to_argv(self, executable: str) -> list[str]:
        """The argument vector of section 3.1.1, in its order."""
        words = [executable]
        if self.debug:
            words.append("--debug")
        words.append(f"--net={self.net}")
        if self.interactive:
            words.append("--interactive")
        if self.local_config:
            words.append(f"--local-config={self.local_config}")
        if self.hostname:
            words.append(f"--hostname={self.hostname}")
        words.extend(flag for word, flag in INSECURE_FLAGS.items() if word in self.insecure)
        if self.ipc:
            words.append(f"--ipc={self.ipc}")
        return [*words, self.uuid]

    @classmethod
    def from_argv(cls, words: list[str]) -> RunArguments:
        """The inverse of :meth:`to_argv` without the executable; ValueError names a word that is not understood."""
        if not words or words[-1].startswith("-"):
            raise ValueError("the last argument must be the pod's UUID")
        arguments = cls(words[-1])
        switches = {flag: word for word, flag in INSECURE_FLAGS.items()}
        for word in words[:-1]:
            name, _, value = word.partition("=")
            if word in ("--debug", "--interactive"):
                setattr(arguments, word[2:], True)
            elif name in ("--net", "--hostname", "--ipc", "--local-config"):
                setattr(arguments, name[2:].replace("-", "_"), value)
            elif word in switches:
                arguments.insecure |= {switches[word]}
            else:
                raise ValueError(f'unknown argument "{word}"')
        return arguments
