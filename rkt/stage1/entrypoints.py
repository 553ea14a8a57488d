"""Call an entrypoint of a pod's stage1, whichever it is: a built-in flavour in this process, a foreign image by exec.

stage0 and the verbs on pods come through here and know no flavour. ``docs/stage-contract.md`` is the contract.
"""

from __future__ import annotations

import os
import sys

from rkt import stage_contract
from rkt.errors import RktError, reason
from rkt.stage1.flavors import MODULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rkt.pod.directory import Pod
    from rkt.stage_contract import RunArguments


class Stage1Error(RktError):
    """A stage1 is not usable or its entrypoint failed."""

    code = "stage1"


def find_flavor(pod_path: str) -> str | None:
    """The built-in flavour of a pod, None if its stage1 is a foreign image."""
    try:
        flavor = os.readlink(f"{pod_path}/{stage_contract.FLAVOR}")
    except OSError:
        return None
    return flavor if flavor in MODULES else None


def run_pod(pod: Pod, arguments: RunArguments, *, settle: Callable[[], None]) -> int:
    """Run the pod to its end and return its exit status; a foreign stage1 replaces this process and does not return.

    ``settle`` makes the pod durable and is called before the first app starts. Raises RktError.
    """
    flavor = find_flavor(pod.path)
    if flavor is not None:
        status: int = _load(flavor).run(pod.path, arguments, settle=settle)
        return status
    settle()
    return _execute(pod, stage_contract.RUN, arguments.to_argv)


def collect_garbage(pod_path: str, *, uuid: str, debug: bool = False) -> None:
    """Let the stage1 give back what it took of the host: control groups, networks. Idempotent. Raises RktError."""
    flavor = find_flavor(pod_path)
    if flavor is not None:
        _load(flavor).collect_garbage(pod_path)
        return
    path = _find_entrypoint(pod_path, stage_contract.GC)
    if path is None:
        return
    argv = [path, *(["--debug"] if debug else []), uuid]
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(pod_path)
            os.execve(path, argv, os.environ)
        finally:
            os._exit(254)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        raise Stage1Error(f'stage1 gc of pod "{uuid}" failed with status {status}')


def _load(flavor: str) -> Any:
    # not importlib: its package costs more than the import
    __import__(MODULES[flavor])
    return sys.modules[MODULES[flavor]]


def _execute(pod: Pod, annotation: str, plan_argv: Callable[[str], list[str]]) -> int:
    path = _find_entrypoint(pod.path, annotation)
    if path is None:
        raise Stage1Error(f'stage1 of pod "{pod.uuid}" has no annotation "{annotation}"')
    os.chdir(pod.path)
    environment = dict(os.environ)
    environment[stage_contract.LOCK_FD] = str(pod.keep_lock_across_exec())
    try:
        os.execve(path, plan_argv(path), environment)
    except OSError as error:
        raise Stage1Error(f'cannot execute "{path}" of stage1: {reason(error)}') from error


def _find_entrypoint(pod_path: str, annotation: str) -> str | None:
    """Absolute path of an entrypoint; the annotation's value is a path inside the stage1 root file system."""
    from rkt.schema.image import decode_image_manifest

    path = f"{pod_path}/{stage_contract.STAGE1_MANIFEST}"
    try:
        with open(path, "rb") as file:
            manifest = decode_image_manifest(file.read(), source=path)
    except FileNotFoundError:
        return None
    value = manifest.annotation(annotation)
    if not value:
        return None
    if ".." in value.split("/"):
        raise Stage1Error(f'annotation "{annotation}" of stage1 leaves its root file system: "{value}"')
    return f"{pod_path}/{stage_contract.STAGE1_ROOTFS}/{value.lstrip('/')}"
