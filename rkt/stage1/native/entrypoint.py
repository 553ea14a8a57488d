"""Entrypoints of the native flavour: ``run`` and garbage collection, in this process or as a stage1 of its own.

Reads the pod directory, plans, and hands the plan to the supervisor. The plan is printed with ``--debug``.
"""

from __future__ import annotations

import os

from rkt import diagnostics, stage_contract
from rkt.errors import NotSupportedError, RktError, reason
from rkt.linux import capabilities
from rkt.linux.cgroups import PodCgroup, find_hierarchies
from rkt.linux.seccomp import load_programs
from rkt.paths import DataDirectory
from rkt.schema.pod import decode_pod_manifest
from rkt.schema.problems import ManifestError
from rkt.stage1 import syscall_sets
from rkt.stage1.confinement import plan_confinement
from rkt.stage1.environment import plan_environment
from rkt.stage1.native.plan import AppPlan, PodPlan, plan_app_steps, plan_namespaces, plan_pod_steps
from rkt.stage1.volumes import plan_volume_mounts
from rkt.stage2.process import AppProcess
from rkt.stage_contract import RunArguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rkt.schema.app import App
    from rkt.schema.pod import PodManifest, RuntimeApp


class PodContentError(RktError):
    """A pod directory or its manifest cannot be run."""

    code = "pod-not-runnable"


def run(pod_path: str, arguments: RunArguments, *, settle: Callable[[], None]) -> int:
    """Run the pod in ``pod_path`` (absolute) to its end; returns its exit status. The caller holds the pod's lock."""
    from rkt.stage1.native.supervisor import supervise

    if arguments.net not in ("none", "host"):
        raise NotSupportedError(
            f'network mode "{arguments.net}" is not supported by this version', "use --net=none or --net=host"
        )
    plan = plan_pod(pod_path, arguments)
    if arguments.debug:
        for line in plan.describe():
            diagnostics.debug(line)
    cgroup = PodCgroup.of_pod(arguments.uuid, find_hierarchies())
    return supervise(plan, cgroup, pod_path=pod_path, settle=settle)


def collect_garbage(pod_path: str) -> None:
    """Remove the pod's control groups if its supervisor could not. Idempotent.

    Their name follows from the UUID: a supervisor may have been killed before it wrote the file ``subcgroup``.
    """
    cgroup = PodCgroup.of_pod(os.path.basename(pod_path), find_hierarchies())
    cgroup.kill()
    cgroup.remove()


def plan_pod(pod_path: str, arguments: RunArguments) -> PodPlan:
    """Read the pod directory and plan everything; the only writes are to the cache of seccomp programs."""
    manifest = _load_manifest(pod_path)
    if not manifest.apps:
        raise PodContentError("pod must contain at least one application")
    if arguments.interactive and len(manifest.apps) > 1:
        raise PodContentError("interactive option only supports pods with one app")
    root = f"{pod_path}/{stage_contract.STAGE1_ROOTFS}"
    hostname = arguments.hostname or f"rkt-{arguments.uuid}"
    return PodPlan(
        uuid=arguments.uuid,
        hostname=hostname,
        namespaces=plan_namespaces(net=arguments.net, ipc=arguments.ipc),
        stage1_root=root,
        steps=plan_pod_steps(root, hostname=hostname, hide_paths="paths" not in arguments.insecure),
        apps=tuple(_plan_app(pod_path, manifest, app, arguments) for app in manifest.apps),
        interactive=arguments.interactive,
    )


def _load_manifest(pod_path: str) -> PodManifest:
    path = f"{pod_path}/{stage_contract.POD_MANIFEST}"
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise PodContentError(f'cannot read the pod manifest "{path}": {reason(error)}') from error
    try:
        return decode_pod_manifest(data, source="pod manifest")
    except ManifestError:
        # names that only old releases allowed, from an old image: rare, and reading them imports more
        return decode_pod_manifest(data, source="pod manifest", lenient=True)


def _plan_app(pod_path: str, manifest: PodManifest, runtime_app: RuntimeApp, arguments: RunArguments) -> AppPlan:
    app = runtime_app.app or _load_image_app(pod_path, runtime_app.name)
    confinement = plan_confinement(app.isolators)
    for name in confinement.ignored:
        diagnostics.warning(f'isolator "{name}" of app "{runtime_app.name}" is ignored: not supported by this version')
    unrestricted = "capabilities" in arguments.insecure
    bounding_set = None if unrestricted else confinement.bounding_set
    main = AppProcess(
        app=runtime_app.name,
        argv=_require_exec(app.exec, runtime_app),
        environment=plan_environment(app, runtime_app.name, terminal=_terminal(arguments)),
        user=app.user,
        group=app.group,
        supplementary_gids=app.supplementary_gids,
        working_directory=app.working_directory or "/",
        bounding_set=bounding_set,
        programs=() if "seccomp" in arguments.insecure else _load_filter(pod_path, bounding_set),
        no_new_privileges=confinement.no_new_privileges,
        oom_score_adj=confinement.oom_score_adj,
    )
    handlers = {handler.name: main.with_argv(tuple(handler.exec)) for handler in app.event_handlers if handler.exec}
    tree_id = _find_tree_id(pod_path, runtime_app.name)
    return AppPlan(
        name=runtime_app.name,
        root=f"{pod_path}/{stage_contract.app_rootfs(runtime_app.name)}",
        steps=plan_app_steps(
            runtime_app.name,
            pod_path=pod_path,
            lower=None if tree_id is None else f"{_data_directory(pod_path).trees}/{tree_id}/rootfs",
            tree_id=tree_id,
            volumes=plan_volume_mounts(manifest, runtime_app, app, pod_path=pod_path),
            read_only_rootfs=runtime_app.read_only_root_fs,
        ),
        main=main,
        pre_start=handlers.get("pre-start"),
        post_stop=handlers.get("post-stop"),
        limits=confinement.limits(),
    )


def _require_exec(words: tuple[str, ...], runtime_app: RuntimeApp) -> tuple[str, ...]:
    if not words or not words[0]:
        image = runtime_app.image.name or runtime_app.name
        raise PodContentError(f'image "{image}" has an empty "exec"', "try --exec=BINARY")
    return tuple(words)


def _load_image_app(pod_path: str, name: str) -> App:
    from rkt.schema.image import decode_image_manifest

    path = f"{pod_path}/{stage_contract.app_info(name)}/manifest"
    with open(path, "rb") as file:
        app = decode_image_manifest(file.read(), source="image manifest").app
    if app is None:
        raise PodContentError(f'app "{name}": no app section in the pod manifest or the image manifest')
    return app


def _load_filter(pod_path: str, bounding_set: int | None) -> tuple[bytes, ...]:
    sys_admin = bounding_set is None or bool(bounding_set & capabilities.SYS_ADMIN)
    return load_programs(
        _data_directory(pod_path).seccomp_cache,
        syscall_sets.default_name(sys_admin=sys_admin),
        lambda: syscall_sets.plan_default_filters(sys_admin=sys_admin),
    )


def _data_directory(pod_path: str) -> DataDirectory:
    """``<data>/pods/run/<uuid>`` -> ``<data>``."""
    return DataDirectory(os.path.dirname(os.path.dirname(os.path.dirname(pod_path))))


def _find_tree_id(pod_path: str, app: str) -> str | None:
    try:
        with open(f"{pod_path}/{stage_contract.app_info(app)}/treeStoreID") as file:
            return file.read(256).strip()
    except FileNotFoundError:
        return None


def _terminal(arguments: RunArguments) -> str | None:
    return os.environ.get("TERM", "vt100") if arguments.interactive else None


def main() -> None:
    """``init`` of the stage1 root file system: section 3.1.1's argument vector in, the pod's exit status out."""
    import sys

    try:
        arguments = RunArguments.from_argv(sys.argv[1:])
        diagnostics.configure(prefix="stage1", debug=arguments.debug)
        lock_fd = int(os.environ.get(stage_contract.LOCK_FD, "-1"))
        if lock_fd >= 0:
            os.set_inheritable(lock_fd, False)
        status = run(os.getcwd(), arguments, settle=lambda: None)
    except (RktError, ValueError, OSError) as error:
        diagnostics.line(str(error))
        status = 254
    raise SystemExit(status)
