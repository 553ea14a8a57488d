"""The plan of a pod, step by step. ``RKT_UPDATE_GOLDEN=1 pytest tests/golden`` writes it anew; look at the diff."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rkt.linux import capabilities
from rkt.linux.cgroups import Limits
from rkt.stage1.native.plan import AppPlan, PodPlan, plan_app_steps, plan_namespaces, plan_pod_steps
from rkt.stage1.volumes import VolumeMount
from rkt.stage2.process import AppProcess

PLANS = Path(__file__).parent / "plan"
UUID = "6c5e9f5d-2c2a-4a3c-9c73-5e1b1d1a3f0e"
POD = f"/var/lib/rkt/pods/run/{UUID}"
ROOT = f"{POD}/stage1/rootfs"
TREE = "tree-0123"


def app(
    name: str,
    *,
    overlay: bool = True,
    volumes: tuple[VolumeMount, ...] = (),
    read_only: bool = False,
    handlers: bool = False,
    filters: int = 2,
) -> AppPlan:
    main = AppProcess(
        app=name,
        argv=(f"/bin/{name}", "--flag"),
        environment=(("PATH", "/bin"),),
        user="web",
        group="0",
        working_directory="/srv",
        bounding_set=capabilities.mask_of(capabilities.DEFAULT),
        programs=(b"",) * filters,
    )
    steps = plan_app_steps(
        name,
        pod_path=POD,
        lower=f"/var/lib/rkt/cas/tree/{TREE}/rootfs" if overlay else None,
        tree_id=TREE if overlay else None,
        volumes=volumes,
        read_only_rootfs=read_only,
    )
    return AppPlan(
        name=name,
        root=f"{ROOT}/opt/stage2/{name}/rootfs",
        steps=steps,
        main=main,
        pre_start=main.with_argv(("/bin/before",)) if handlers else None,
        post_stop=main.with_argv(("/bin/after",)) if handlers else None,
        limits=Limits(pids=4096),
    )


def pod(*apps: AppPlan, net: str = "none", ipc: str | None = None, hide_paths: bool = True) -> PodPlan:
    return PodPlan(
        uuid=UUID,
        hostname=f"rkt-{UUID}",
        namespaces=plan_namespaces(net=net, ipc=ipc),
        stage1_root=ROOT,
        steps=plan_pod_steps(ROOT, hostname=f"rkt-{UUID}", hide_paths=hide_paths),
        apps=apps,
        interactive=False,
    )


DATA = VolumeMount("data", source="/srv/data", path="/data", read_only=True, recursive=True, host=True)
SCRATCH = VolumeMount(
    "scratch", source=f"{POD}/sharedVolumes/scratch", path="/tmp/x", read_only=False, recursive=False, host=False
)
CASES = {
    "one-app": lambda: pod(app("web")),
    "two-apps": lambda: pod(
        app("web", volumes=(DATA, SCRATCH), read_only=True, handlers=True),
        app("side", overlay=False, volumes=(SCRATCH,)),
    ),
    "insecure": lambda: pod(app("web", filters=0), net="host", ipc="parent", hide_paths=False),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_plan_is_as_written_down(name: str) -> None:
    text = "\n".join(CASES[name]().describe()) + "\n"
    text = text.replace(ROOT, "ROOT").replace(POD, "POD").replace(UUID, "UUID")
    path = PLANS / f"{name}.txt"
    if os.environ.get("RKT_UPDATE_GOLDEN"):
        PLANS.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_plan_is_read_only_where_it_must_be() -> None:
    """The order that the rest relies on: masks are made before they are sealed, volumes come after /dev."""
    lines = "\n".join(CASES["two-apps"]().describe())
    assert lines.index("create") < lines.index("set attributes 0x1") < lines.index("mount proc")
    app_lines = lines[lines.index("app web:") :]
    assert app_lines.index("/dev in") < app_lines.index("/data in") < app_lines.index("set attributes 0x5")
